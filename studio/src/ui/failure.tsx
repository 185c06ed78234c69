/** @file An error in words, and what to do about it. */
import { ApiError } from "../api.js";
import { Prose } from "./prose.js";

/** What to say about anything that was thrown. */
function words(error: unknown): { readonly message: string; readonly hint?: string } {
  if (error instanceof ApiError) return { message: error.message, hint: error.hint };
  return { message: error instanceof Error ? error.message : String(error) };
}

/**
 * A notice in place of what could not be shown.
 * @param props.retry Where given, a button tries again.
 */
export function Failure({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  const { message, hint } = words(error);
  return (
    <div class="notice notice-bad" role="alert">
      <div class="stack-s grow">
        <strong>
          <Prose>{message}</Prose>
        </strong>
        {hint !== undefined && (
          <p>
            <Prose>{hint}</Prose>
          </p>
        )}
        {retry && (
          <p>
            <button type="button" class="button" onClick={retry}>
              Try again
            </button>
          </p>
        )}
      </div>
    </div>
  );
}

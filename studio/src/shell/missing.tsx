/** @file No view has this address. */
import { href } from "../router.js";
import { useTitle } from "../ui/title.js";

/** @param props.path What stands in the address. */
export function Missing({ path }: { readonly path: string }) {
  useTitle("Not found");
  return (
    <div class="empty">
      <h1>There is no such view</h1>
      <p>
        The address <code>{path}</code> leads nowhere in the studio.
      </p>
      <a class="button button-primary" href={href.runs()}>
        Show all runs
      </a>
    </div>
  );
}

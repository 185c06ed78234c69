/** @file Something is on its way. */

/** @param props.for What is waited for, such as "the runs". */
export function Waiting({ for: what }: { readonly for: string }) {
  return (
    <p class="row muted" role="status">
      <span class="spinner" aria-hidden="true" />
      Loading {what} …
    </p>
  );
}

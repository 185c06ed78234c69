/** @file A command line to copy into a terminal. */
import { useState } from "preact/hooks";

/** Quotes an argument for a POSIX shell where it must be. */
export function shellQuote(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** The command and a button that copies it. */
export function Command({ children: text }: { readonly children: string }) {
  const [copied, setCopied] = useState<"yes" | "no" | undefined>();
  return (
    <div class="command">
      <code>{text}</code>
      <button
        type="button"
        class="button button-plain button-s"
        aria-label={`Copy the command ${text}`}
        onClick={() => {
          // Absent where the page came neither from loopback nor by https.
          const done = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error("no clipboard"));
          done.then(
            () => setCopied("yes"),
            () => setCopied("no"),
          );
        }}
      >
        <span role="status">
          {copied === "yes" ? "Copied" : copied === "no" ? "Select it by hand" : "Copy"}
        </span>
      </button>
    </div>
  );
}

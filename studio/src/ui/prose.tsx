/** @file Words from the server, in which a stretch between backticks is a command or a key. */

/** Plain text but for `code`; an odd backtick stands for itself. */
export function Prose({ children: text }: { readonly children: string }) {
  return (
    <>{text.split(/`([^`\n]+)`/).map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</>
  );
}

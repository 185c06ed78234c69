/** @file HTML by template: everything put in is escaped unless it is HTML made here. */

/** Text that is HTML already. */
export interface Html {
  readonly html: string;
}

/** What may stand in a template. */
export type HtmlPart = Html | string | number | undefined | readonly HtmlPart[];

/** Text made safe for element content and quoted attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

function render(part: HtmlPart): string {
  if (part === undefined) return "";
  if (typeof part === "string") return escapeHtml(part);
  if (typeof part === "number") return String(part);
  if ("html" in part) return part.html;
  return part.map(render).join("");
}

/** html`<p>${text}</p>` */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return { html: strings.map((text, i) => text + (i < parts.length ? render(parts[i]) : "")).join("") };
}

/** A value for a script element: JSON in which nothing can end the element. */
export function scriptJson(value: unknown): Html {
  return {
    html: JSON.stringify(value)
      .replaceAll("<", "\\u003c")
      .replaceAll("\u2028", "\\u2028")
      .replaceAll("\u2029", "\\u2029"),
  };
}

/** HTML that is known to be safe: our own scripts and styles. */
export const trusted = (text: string): Html => ({ html: text });

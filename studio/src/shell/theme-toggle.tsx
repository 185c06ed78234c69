/** @file Switches between light and dark; the system's choice again where both agree. */
import { chooseTheme, useTheme } from "../theme.js";

const SUN =
  "M8 11.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4ZM8 .8v2M8 13.2v2M.8 8h2M13.2 8h2M2.9 2.9l1.4 1.4M11.7 11.7l1.4 1.4M2.9 13.1l1.4-1.4M11.7 4.3l1.4-1.4";
const MOON = "M13.6 9.9A6 6 0 0 1 6.1 2.4a6 6 0 1 0 7.5 7.5Z";

/** A button that names what it will do. */
export function ThemeToggle() {
  const shown = useTheme();
  const other = shown === "dark" ? "light" : "dark";
  const system = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  return (
    <button
      type="button"
      class="button button-plain button-icon"
      aria-label={`Use ${other} colours`}
      title={`Use ${other} colours`}
      onClick={() => chooseTheme(other === system ? "system" : other)}
    >
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <path
          d={shown === "dark" ? SUN : MOON}
          fill="none"
          stroke="currentColor"
          stroke-width="1.5"
          stroke-linecap="round"
          stroke-linejoin="round"
        />
      </svg>
    </button>
  );
}

/**
 * @file Light or dark: the system's choice until the reader makes another, which stays with this browser. The root
 * element carries `data-theme`, so one set of dark tokens serves both ways. Canvases, which cannot use CSS variables,
 * read them by {@link token} and draw again by {@link useTheme}.
 */
import { useEffect, useState } from "preact/hooks";

/** What is shown. */
export type Theme = "light" | "dark";
/** What was chosen. */
export type ThemeChoice = Theme | "system";

const KEY = "dip-r1.theme";
const CHANGED = "dip-r1-theme";
const dark = () => window.matchMedia("(prefers-color-scheme: dark)");

/** The reader's choice; a browser without storage follows the system. */
export function themeChoice(): ThemeChoice {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : "system";
  } catch {
    return "system";
  }
}

/** The theme that is shown. */
export function theme(): Theme {
  const choice = themeChoice();
  return choice === "system" ? (dark().matches ? "dark" : "light") : choice;
}

function apply(): void {
  document.documentElement.dataset.theme = theme();
  window.dispatchEvent(new Event(CHANGED));
}

/** Sets the theme, and follows the system from here on. */
export function startTheme(): void {
  apply();
  dark().addEventListener("change", apply);
  window.addEventListener("storage", ({ key }) => {
    if (key === KEY) apply();
  });
}

/** Keeps a choice and shows it. */
export function chooseTheme(choice: ThemeChoice): void {
  try {
    if (choice === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, choice);
  } catch {
    // Without storage the choice cannot outlive the page, nor this call.
  }
  apply();
}

/** The theme that is shown; the component draws again when it changes. */
export function useTheme(): Theme {
  const [shown, setShown] = useState(theme);
  useEffect(() => {
    const changed = () => setShown(theme());
    window.addEventListener(CHANGED, changed);
    return () => window.removeEventListener(CHANGED, changed);
  }, []);
  return shown;
}

/** The value of a design token of now, for canvases. @param name Such as `--look`. */
export function token(name: `--${string}`): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

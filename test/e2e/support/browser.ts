/**
 * @file A real browser for tests: Debian's chromium through playwright-core. A page that is opened here remembers every error
 * and every request to another host, so that a test can say that there were none.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type Page } from "playwright-core";

const SCREENSHOTS = fileURLToPath(new URL("../../../.ci/screenshots/", import.meta.url));

/** The browser: CHROME_PATH, Debian's, or the one that playwright installed; nothing where there is none. */
export function findChromium(): string | undefined {
  const places = [process.env["CHROME_PATH"], "/usr/bin/chromium", "/usr/bin/chromium-browser"];
  return [...places, chromium.executablePath()].find((path) => path && existsSync(path));
}

/**
 * Whether browser tests are left out: only where there is no browser, and never in CI.
 * @throws Error in CI without a browser
 */
export function withoutBrowser(): boolean {
  if (findChromium() !== undefined) return false;
  if (process.env["CI"] === "true")
    throw new Error("there is no chromium: install Debian's package, or set CHROME_PATH");
  console.warn("skipped: there is no chromium (install Debian's package, or set CHROME_PATH)");
  return true;
}

/** Starts the browser. */
export function launchBrowser(): Promise<Browser> {
  // CI runs as root in a container, where chromium's own sandbox cannot work; pages are our own.
  return chromium.launch({ executablePath: findChromium()!, args: ["--no-sandbox", "--disable-gpu"] });
}

/** How a page is opened. */
export interface PageOptions {
  /** @default 1280 x 800 */
  readonly width?: number;
  readonly height?: number;
  /** @default "light" */
  readonly scheme?: "light" | "dark";
}

/** A page and what went wrong on it. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors of scripts, errors on the console (refusals of the content security policy among them), failed answers, requests to other hosts. */
  readonly problems: readonly string[];
}

/** Opens an address. @example const { page, problems } = await openPage(browser, inject("recorded") + "#/run/tiny") */
export async function openPage(
  browser: Browser,
  url: string,
  { width = 1280, height = 800, scheme = "light" }: PageOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    reducedMotion: "reduce",
  });
  // Far above what anything takes: a busy machine must not fail a test.
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  const problems: string[] = [];
  const { host } = new URL(url);
  page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const address = new URL(request.url());
    if (address.host !== host && !["blob:", "data:"].includes(address.protocol))
      problems.push(`request to another host: ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 500) problems.push(`${response.status()} of ${response.url()}`);
  });
  await page.goto(url);
  return { page, problems };
}

/** Keeps a picture of the page in .ci/screenshots/NAME.png. */
export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { seriousFindings } from "./support/accessibility.js";
import { launchBrowser, openPage, screenshot, withoutBrowser } from "./support/browser.js";

/** Presses something that saves a file, and gives where it was saved. */
async function saved(page: Page, press: () => Promise<void>, folder: string): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent("download"), press()]);
  const path = join(folder, download.suggestedFilename());
  await download.saveAs(path);
  return path;
}

const table = (page: Page): Locator => page.getByRole("region", { name: "Table of results" });

describe.skipIf(withoutBrowser())("Compare", () => {
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    browser = await launchBrowser();
    folder = mkdtempSync(join(tmpdir(), "dip-r1-compare-"));
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = async (hash: string, options = {}) => {
    const opened = await openPage(browser, `${inject("recorded")}${hash}`, options);
    await opened.page.locator(".compare-image").first().waitFor();
    return opened;
  };

  it.each([
    { name: "compare", scheme: "light", width: 1280 },
    { name: "compare-dark-narrow", scheme: "dark", width: 390 },
  ] as const)("shows base, and two runs ($name)", async ({ name, scheme, width }) => {
    const { page, problems } = await open("#/compare?runs=tiny,second", { scheme, width });
    const rows = await table(page).locator("tbody").first().locator("th[scope=row]").allInnerTexts();
    expect(rows).toEqual(["base", "DIP-R1 (tiny)", "DIP-R1 (second)"]);
    const body = await table(page).innerText();
    expect(body).toMatch(/plaza\s+in-domain, 4 images/);
    expect(body).toMatch(/night\s+out of domain, 3 images/);
    expect(await page.getByRole("img", { name: /precision-recall, IoU 0.5\. base: AP/ }).count()).toBe(1);
    // Canvases of pictures are drawn once they have come.
    await page.waitForLoadState("networkidle");
    await screenshot(page, name);
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(sideways).toBeLessThanOrEqual(0);
    expect(await seriousFindings(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("keeps names, steps, baseline and order in the address", async () => {
    const { page, problems } = await open("#/compare?runs=tiny");
    await page.getByLabel("Name 2").fill("ours, <b>bold</b>");
    await page.getByLabel("Name 2").press("Tab");
    await table(page).getByRole("rowheader", { name: "ours, <b>bold</b>" }).first().waitFor();
    await page.getByRole("button", { name: "Add an evaluation" }).click();
    await page.locator(".compare-image").first().waitFor();
    expect(await page.locator(".compare-entry").count()).toBe(3);
    await page.getByRole("combobox", { name: /^Step 3/ }).selectOption("12");
    await page.getByRole("radio", { name: /Baseline is ours/ }).check();
    await page.getByRole("button", { name: "Move ours, <b>bold</b> up" }).click();
    await page.locator(".compare-image").first().waitFor();
    const address = page.url();
    expect(decodeURIComponent(decodeURIComponent(address))).toContain("names=ours, <b>bold</b>,,");
    await page.reload();
    await page.locator(".compare-image").first().waitFor();
    expect(await page.getByLabel("Name 1").inputValue()).toBe("ours, <b>bold</b>");
    expect(await page.getByRole("radio", { name: /Baseline is ours/ }).isChecked()).toBe(true);
    expect(await page.getByText("Change of F1 from ours, <b>bold</b>, greedy").count()).toBeGreaterThan(0);
    // A name is text, never markup.
    expect(await page.locator("main b").count()).toBe(0);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("sorts by a column from the keyboard, and takes other sets and images", async () => {
    const { page, problems } = await open("#/compare?runs=tiny@0,tiny@12,tiny@36&names=a,b,c");
    const header = table(page).getByRole("columnheader", { name: /^F1\s*,/ });
    const values = async () =>
      (
        await table(page)
          .locator("tbody")
          .first()
          .locator("tr:not(.compare-group) td:nth-of-type(3)")
          .allInnerTexts()
      ).map((text) => Number.parseFloat(text));
    await header.getByRole("button").focus();
    await page.keyboard.press("Enter");
    expect(await header.getAttribute("aria-sort")).toBe("descending");
    const down = await values();
    expect(down).toEqual(down.toSorted((a, b) => b - a));
    await page.keyboard.press("Enter");
    expect(await header.getAttribute("aria-sort")).toBe("ascending");
    await page.getByRole("button", { name: "night", exact: true }).click();
    await page.getByRole("heading", { name: "Images of night" }).waitFor();
    await page.getByRole("combobox", { name: /^Order/ }).selectOption("loss");
    await page.getByRole("button", { name: "Look closely" }).first().click();
    await page.getByRole("group", { name: /^c, .*boxes\. Plus and minus zoom/ }).waitFor();
    await screenshot(page, "compare-close");
    expect(await seriousFindings(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("picks one of several sampled responses", async () => {
    const { page, problems } = await open("#/compare?runs=tiny&decoding=sampled");
    const choice = page.getByRole("combobox", { name: /^Response/ }).first();
    await choice.selectOption({ index: 1 });
    expect(await choice.inputValue()).toBe("1");
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("says what is wrong with an address", async () => {
    const { page } = await openPage(browser, `${inject("recorded")}#/compare?runs=nobody,tiny@7`);
    await page.getByText("nobody, tiny@7").waitFor();
    await page.getByRole("heading", { name: "What is to be compared?" }).waitFor();
    await page.getByRole("link", { name: /^tiny/ }).click();
    await page.locator(".compare-image").first().waitFor();
    expect(page.url()).toMatch(/#\/compare\?runs=tiny$/);
    await page.context().close();
  });

  it("saves tables, figures and pictures", async () => {
    const { page, problems } = await open("#/compare?runs=tiny&names=base_model,50%25");
    const button = (name: string) => () => page.getByRole("button", { name, exact: true }).click();
    const rows = readFileSync(await saved(page, button("CSV"), folder), "utf8")
      .trim()
      .split("\r\n");
    expect(rows[0]).toContain("set,domain,decoding,images,entry,run,step,baseline,metric");
    expect(rows.some((row) => row.startsWith("plaza,in,greedy,4,50%,tiny,36,base_model,f1,"))).toBe(true);
    expect(readFileSync(await saved(page, button("CSV of parts"), folder), "utf8")).toContain("crowding,");
    const tex = readFileSync(await saved(page, button("LaTeX"), folder), "utf8");
    expect(tex).toContain("base\\_model & $");
    expect(tex).toContain("50\\% & $");

    const card = page.getByRole("figure", { name: "plaza: precision-recall, IoU 0.5" });
    const fromMenu = (where: Locator, kind: string) => async () => {
      await where.getByRole("button", { name: /^Save / }).click();
      await where.getByRole("button", { name: kind, exact: true }).click();
    };
    const svg = readFileSync(await saved(page, fromMenu(card, "SVG"), folder), "utf8");
    expect(svg).toContain(">50%</text>");
    expect(svg).toContain('fill="#ffffff"');
    const png = readFileSync(await saved(page, fromMenu(card, "PNG"), folder));
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect(readFileSync(await saved(page, fromMenu(card, "CSV"), folder), "utf8")).toContain("as answered");

    const image = page.locator(".compare-image").first();
    const panels = readFileSync(await saved(page, fromMenu(image, "SVG"), folder), "utf8");
    expect(panels.match(/<image /g)).toHaveLength(2);
    expect(panels).toContain("data:image/png;base64,");
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("saves one HTML file that opens without a network", async () => {
    const { page } = await open("#/compare?runs=tiny,second&names=base,a%253Cscript%253E");
    const path = await saved(
      page,
      () => page.getByRole("button", { name: "HTML", exact: true }).click(),
      folder,
    );
    await page.context().close();
    const context = await browser.newContext({ offline: true, viewport: { width: 390, height: 800 } });
    const alone = await context.newPage();
    const asked: string[] = [];
    const said: string[] = [];
    alone.on("request", (request) => asked.push(request.url()));
    alone.on("console", (message) => said.push(message.text()));
    await alone.goto(pathToFileURL(path).href);
    await alone.getByRole("heading", { level: 1, name: "base / a<script> / DIP-R1 (second)" }).waitFor();
    expect(asked.filter((url) => !url.startsWith("data:"))).toEqual([pathToFileURL(path).href]);
    expect(said).toEqual([]);
    expect(await alone.locator("script").count()).toBe(0);
    expect(await alone.locator("figure svg").count()).toBeGreaterThan(10);
    // Pictures are in the file, and are drawn.
    expect(await alone.locator(".pictures image").count()).toBe(3 * 4);
    const sideways = await alone.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(sideways).toBeLessThanOrEqual(0);
    await screenshot(alone, "compare-export");
    expect(await seriousFindings(alone)).toEqual([]);
    await context.close();
  });
});

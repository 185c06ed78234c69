import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { seriousFindings } from "./support/accessibility.js";
import { launchBrowser, openPage, screenshot, withoutBrowser } from "./support/browser.js";

describe.skipIf(withoutBrowser())("the view of runs", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  it.each([
    { name: "differences", width: 1280, scheme: "light" },
    { name: "differences-dark-narrow", width: 390, scheme: "dark" },
  ] as const)("shows what differs between two runs ($name)", async ({ name, width, scheme }) => {
    const { page, problems } = await openPage(browser, inject("recorded"), { width, scheme });
    await page.getByRole("checkbox", { name: "Choose tiny" }).check();
    const differs = page.getByRole("button", { name: "What differs" });
    expect(await differs.isDisabled()).toBe(true);
    await page.getByRole("checkbox", { name: "Choose second" }).check();
    await differs.click();
    const row = page.getByRole("row", { name: /learningRate/ });
    await row.waitFor();
    expect(await row.innerText()).toMatch(/0\.0001/);
    await screenshot(page, name);
    expect(await seriousFindings(page)).toEqual([]);
    // The address opens the same differences again.
    await page.reload();
    await row.waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    await row.waitFor({ state: "detached" });
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("finds, and says when nothing is found", async () => {
    const { page, problems } = await openPage(browser, inject("recorded"));
    const rows = page.locator("[data-run]");
    await rows.nth(1).waitFor();
    await page.getByRole("searchbox", { name: "Find" }).fill("second");
    await expect.poll(() => rows.count()).toBe(1);
    expect(page.url()).toContain("q=second");
    await page.getByLabel("State").selectOption("failed");
    await page.getByText("None of the 2 runs matches").waitFor();
    await page.getByRole("button", { name: "Show all" }).click();
    await expect.poll(() => rows.count()).toBe(2);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("leads to curves laid over each other, and to Compare", async () => {
    const { page, problems } = await openPage(browser, inject("recorded"));
    await page.getByRole("checkbox", { name: "Choose tiny" }).check();
    await page.getByRole("checkbox", { name: "Choose second" }).check();
    const compare = page.getByRole("link", { name: "Compare results" });
    expect(await compare.getAttribute("href")).toBe("#/compare?runs=tiny%2Csecond");
    await page.getByRole("link", { name: "Overlay curves" }).click();
    const legend = page.locator("[data-chart=reward] .legend");
    await legend.waitFor();
    await expect.poll(() => legend.innerText()).toMatch(/tiny[\s\S]*second/);
    await screenshot(page, "overlay");
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("keeps light or dark as it was chosen", async () => {
    const { page } = await openPage(browser, inject("recorded"), { scheme: "light" });
    const theme = () => page.evaluate(() => document.documentElement.dataset["theme"]);
    expect(await theme()).toBe("light");
    await page.getByRole("button", { name: "Use dark colours" }).click();
    expect(await theme()).toBe("dark");
    await page.reload();
    await page.getByRole("button", { name: "Use light colours" }).waitFor();
    expect(await theme()).toBe("dark");
    await page.context().close();
  });

  it("is reached by the keyboard, past the banner at once", async () => {
    const { page } = await openPage(browser, inject("recorded"));
    await page.locator("[data-run]").first().waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
    await page.keyboard.press("Tab");
    const first = await page.evaluate(() => document.querySelector("main")?.contains(document.activeElement));
    expect(first).toBe(true);
    await page.context().close();
  });
});

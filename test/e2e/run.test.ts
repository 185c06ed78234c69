import { readFileSync } from "node:fs";
import type { Browser, Download, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { launchBrowser, openPage, screenshot, withoutBrowser } from "./support/browser.js";

/** What a file holds that the page hands out. */
async function downloaded(page: Page, act: () => Promise<void>): Promise<{ name: string; bytes: Buffer }> {
  const [download] = await Promise.all([page.waitForEvent("download") as Promise<Download>, act()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

describe.skipIf(withoutBrowser())("the view of a run", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  it("points and zooms in all charts together, by the keyboard and by dragging", async () => {
    const { page, problems } = await openPage(browser, `${inject("recorded")}#/run/tiny`, { height: 1200 });
    const reward = page.locator("[data-chart=reward]");
    const parts = page.locator("[data-chart=reward-parts]");
    await reward.locator("canvas").waitFor();
    const slider = reward.getByRole("slider");
    await slider.focus();
    await page.keyboard.press("Home");
    expect(await slider.getAttribute("aria-valuetext")).toMatch(/^Step 1: Total reward \d/);
    await expect.poll(() => parts.locator(".chart-place").innerText()).toBe("Step 1");
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => parts.locator(".chart-place").innerText()).toBe("Step 2");

    const zoom = page.locator(".zoom");
    const box = (await parts.locator(".u-over").boundingBox())!;
    await page.mouse.move(box.x + 0.25 * box.width, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + 0.75 * box.width, box.y + 60, { steps: 5 });
    await page.mouse.up();
    await expect.poll(() => zoom.innerText()).toMatch(/Steps \d+ to \d+/);
    await screenshot(page, "run-zoomed");
    await page.getByRole("button", { name: "Reset zoom" }).click();
    await expect.poll(() => zoom.innerText()).toMatch(/All steps/);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("smooths, takes logarithms, and hides curves", async () => {
    const { page, problems } = await openPage(browser, `${inject("recorded")}#/run/tiny`, { height: 1200 });
    const parts = page.locator("[data-chart=reward-parts]");
    await parts.locator("canvas").waitFor();
    await page.getByRole("slider", { name: "Smoothing" }).fill("0.8");
    await expect.poll(() => parts.locator(".legend").innerText()).toContain("smoothed");
    await parts.getByRole("button", { name: /^log axis/ }).click();
    const format = parts.getByRole("button", { name: "Format" });
    await format.click();
    expect(await format.getAttribute("aria-pressed")).toBe("false");
    await page.getByText("Time", { exact: true }).click();
    await expect.poll(() => parts.locator(".chart-place").innerText()).toMatch(/min$/);
    await screenshot(page, "run-smoothed");
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("exports a chart as PNG, SVG and CSV, and shows its numbers as a table", async () => {
    const { page, problems } = await openPage(browser, `${inject("recorded")}#/run/tiny`, { height: 1200 });
    const reward = page.locator("[data-chart=reward]");
    await reward.locator("canvas").waitFor();
    const save = (kind: string) =>
      downloaded(page, async () => {
        await reward.getByRole("button", { name: /^Export/ }).click();
        await reward.getByRole("button", { name: kind }).click();
      });
    const png = await save("PNG picture");
    expect(png.name).toBe("tiny-reward.png");
    expect(png.bytes.subarray(1, 4).toString()).toBe("PNG");
    // Three times the size of the drawing, for print.
    expect(png.bytes.readUInt32BE(16)).toBe(2160);
    const svg = (await save("SVG drawing")).bytes.toString();
    expect(svg).toMatch(/^<svg [\s\S]*Total reward[\s\S]*<\/svg>\s*$/);
    const csv = (await save("CSV numbers")).bytes.toString().trim().split("\r\n");
    expect(csv[0]).toBe("step,Total reward,Total reward (standard deviation)");
    const run = (await (
      await fetch(`${inject("recorded")}api/runs/tiny/metrics?keys=reward.mean`)
    ).json()) as {
      columns: { "reward.mean": number[] };
    };
    const recorded = run.columns["reward.mean"];
    expect(csv.slice(1).map((line) => Number(line.split(",")[1]))).toEqual(recorded);

    await reward.getByRole("button", { name: /^Export/ }).click();
    await reward.getByRole("button", { name: "Show as a table" }).click();
    expect(await reward.getByRole("row").count()).toBe(recorded.length + 1);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("tells before and after with intervals, and leads to a judged image", async () => {
    const { page, problems } = await openPage(browser, `${inject("recorded")}#/run/tiny?tab=evaluations`);
    const table = page.getByRole("region", { name: "plaza, before and after" });
    await table.waitFor({ timeout: 120_000 });
    expect(await table.getByRole("row", { name: /^F1 \d/ }).innerText()).toMatch(/\d\.\d{3} to \d\.\d{3}/);
    await screenshot(page, "run-intervals");
    await page.getByRole("region", { name: "Images of plaza" }).getByRole("link").first().click();
    await expect.poll(() => page.url()).toMatch(/#\/run\/tiny\/eval\/plaza\//);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("filters and orders its groups in the address, and leads to one", async () => {
    const { page, problems } = await openPage(browser, `${inject("recorded")}#/run/tiny?tab=groups`);
    const rows = page.getByRole("region", { name: "List of groups" }).getByRole("row");
    await rows.nth(1).waitFor();
    await page.getByLabel("To step").fill("2");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.url()).toContain("toStep=2");
    await page.getByLabel("Order").selectOption("reward");
    await expect.poll(() => page.url()).toContain("sort=reward");
    const means = async () => {
      const cells = await rows.locator("td:nth-child(4)").allInnerTexts();
      return cells.map(Number);
    };
    const steps = async () => (await rows.locator("td:nth-child(2)").allInnerTexts()).map(Number);
    await expect.poll(async () => Math.max(...(await steps()))).toBeLessThanOrEqual(2);
    await expect
      .poll(async () => JSON.stringify(await means()))
      .toBe(JSON.stringify((await means()).toSorted((a, b) => a - b)));
    const words = await page.getByRole("navigation", { name: "Pages" }).innerText();
    await page.reload();
    await expect.poll(() => page.getByRole("navigation", { name: "Pages" }).innerText()).toBe(words);
    await rows.getByRole("link").first().click();
    await expect.poll(() => page.url()).toMatch(/#\/run\/tiny\/group\/\d+\/.*sort=reward/);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("goes on by itself while the run trains", async () => {
    const { page, problems } = await openPage(browser, `${inject("training")}#/run/training`);
    const place = page.locator("[data-chart=reward] .chart-place");
    await place.waitFor();
    const step = async () => Number(/\d+/.exec(await place.innerText())?.[0] ?? 0);
    await expect.poll(step, { timeout: 120_000 }).toBeGreaterThan(0);
    const before = await step();
    // Kept over the page's life: a reload would lose it.
    await page.evaluate(() => Object.assign(window, { kept: true }));
    await expect.poll(step, { timeout: 120_000 }).toBeGreaterThan(before);
    expect(await page.evaluate(() => "kept" in window)).toBe(true);
    await page.getByText("Training", { exact: true }).first().waitFor();
    await screenshot(page, "run-training");
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("says what to do about a run, and an address, that is not there", async () => {
    const { page } = await openPage(browser, `${inject("recorded")}#/run/nowhere`);
    expect(await page.getByRole("alert").innerText()).toContain("nowhere");
    await page.getByRole("link", { name: "Show all runs" }).click();
    await page.locator("[data-run]").first().waitFor();
    await page.goto(`${inject("recorded")}#/nowhere`);
    await page.getByRole("heading", { name: "There is no such view" }).waitFor();
    await page.context().close();
  });
});

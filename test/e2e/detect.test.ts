import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { DetectEvent } from "../../src/server/studio/api.js";
import { seriousFindings } from "./support/accessibility.js";
import { launchBrowser, openPage, screenshot, withoutBrowser } from "./support/browser.js";

describe.skipIf(withoutBrowser())("detect", () => {
  let browser: Browser;
  let folder: string;
  let picture: string;
  beforeAll(async () => {
    browser = await launchBrowser();
    folder = mkdtempSync(join(tmpdir(), "dip-r1-detect-"));
    picture = join(folder, "crowd.png");
    const png = await fetch(`${inject("recorded")}api/runs/tiny/image?set=train&sample=plaza-71-000005`);
    writeFileSync(picture, Buffer.from(await png.arrayBuffer()));
    writeFileSync(join(folder, "notes.txt"), "no picture");
    writeFileSync(join(folder, "torn.png"), "no picture either");
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    { name: "detect-empty", scheme: "light", width: 1280 },
    { name: "detect-empty-dark-narrow", scheme: "dark", width: 390 },
  ] as const)("says what to do first ($name)", async ({ name, scheme, width }) => {
    const { page, problems } = await openPage(browser, `${inject("recorded")}#/detect`, { scheme, width });
    await page.getByText("Choose a picture first.").waitFor();
    expect(await page.getByRole("button", { name: "Detect", exact: true }).isDisabled()).toBe(true);
    await screenshot(page, name);
    expect(await seriousFindings(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("asks the shipped model, shows its text as it is written, and what several responses agree on", async () => {
    const { page, problems } = await openPage(browser, `${inject("recorded")}#/detect`);
    await page.locator("input[type=file]").setInputFiles(picture);
    await page.getByText("112 × 112").waitFor();
    await page.getByRole("button", { name: "4", exact: true }).click();
    // Every length that the text had, noted in the page: polling from here could miss them.
    await page.evaluate(() => {
      const seen: number[] = [];
      Object.assign(window, { seen });
      new MutationObserver(() => {
        const length = document.querySelector(".response-words")?.textContent?.length ?? 0;
        if (length > 0 && length !== seen.at(-1)) seen.push(length);
      }).observe(document.body, { childList: true, subtree: true, characterData: true });
    });
    await page.getByRole("button", { name: "Detect", exact: true }).click();
    await page.getByText(/instances in each of 4 responses, \d+ tokens in/).waitFor({ timeout: 120_000 });
    const lengths = await page.evaluate(() => (window as unknown as { seen: number[] }).seen);
    expect(lengths.length).toBeGreaterThan(2);
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
    expect(await page.locator(".response-card").count()).toBe(5);
    const all = await page.getByRole("heading", { name: /^\d+ instances?$/ }).innerText();
    await page.getByRole("slider", { name: /held by at least/ }).fill("1");
    const held = await page.getByRole("heading", { name: /^\d+ instances?$/ }).innerText();
    expect(parseInt(held)).toBeLessThanOrEqual(parseInt(all));
    await screenshot(page, "detect-consensus");
    await page.locator(".response-card").nth(1).click();
    expect(await page.locator(".response-words").innerText()).toContain("</answer>");
    await screenshot(page, "detect-response");
    expect(await seriousFindings(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("takes a picture of a run by its address", async () => {
    const { page } = await openPage(
      browser,
      `${inject("recorded")}#/detect?run=tiny&set=train&sample=plaza-71-000005`,
    );
    await page.getByText("plaza-71-000005").first().waitFor();
    expect(await page.getByRole("button", { name: "Detect", exact: true }).isEnabled()).toBe(true);
    await page.context().close();
  });

  it.each([
    { file: "notes.txt", words: "notes.txt is no picture (text/plain)" },
    { file: "torn.png", words: "torn.png cannot be read as a picture" },
  ])("says what is wrong with $file", async ({ file, words }) => {
    const { page } = await openPage(browser, `${inject("recorded")}#/detect`);
    await page.locator("input[type=file]").setInputFiles(join(folder, file));
    await page.getByRole("alert").waitFor();
    expect(await page.getByRole("alert").innerText()).toContain(words);
    await page.context().close();
  });

  it("says what went wrong at the server, in its words", async () => {
    const { page } = await openPage(browser, `${inject("recorded")}#/detect`);
    const events: DetectEvent[] = [
      { event: "queued", waiting: 0 },
      { event: "failed", error: { code: "x", message: "The weights are torn", hint: "Train it again." } },
    ];
    await page.route("**/api/detect", (route) =>
      route.fulfill({ body: events.map((event) => JSON.stringify(event) + "\n").join("") }),
    );
    await page.locator("input[type=file]").setInputFiles(picture);
    await page.getByRole("button", { name: "Detect", exact: true }).click();
    await page.getByRole("alert").waitFor();
    expect(await page.getByRole("alert").innerText()).toMatch(/The weights are torn\s+Train it again\./);
    await page.unroute("**/api/detect");
    await page.route("**/api/detect", (route) => route.abort());
    await page.getByRole("button", { name: "Detect again" }).click();
    await page.getByText("The studio's server does not answer").waitFor();
    expect(await page.getByRole("button", { name: "Detect again" }).isEnabled()).toBe(true);
    await page.context().close();
  });

  it("shows what a model wrote as text, also where it is a script", async () => {
    const { page, problems } = await openPage(browser, `${inject("recorded")}#/detect`);
    const evil = `<script>window.hit=1</script><img src=x onerror="window.hit=1">`;
    const events: DetectEvent[] = [
      { event: "opened", model: "m", canvas: { width: 112, height: 112 } },
      { event: "text", index: 0, delta: evil, regions: [], answer: [[1, 1, 50, 50]] },
      {
        event: "response",
        response: {
          index: 0,
          text: evil,
          stretches: [],
          grade: "none",
          stopReason: "stop",
          tokens: 9,
          regions: [],
          answer: [{ box: [1, 1, 50, 50], label: evil }],
        },
      },
      { event: "done", seconds: 1, tokens: 9 },
    ];
    await page.route("**/api/detect", (route) =>
      route.fulfill({ body: events.map((event) => JSON.stringify(event) + "\n").join("") }),
    );
    await page.locator("input[type=file]").setInputFiles(picture);
    await page.getByRole("button", { name: "Detect", exact: true }).click();
    await page.getByText("No answer could be read").waitFor();
    expect(await page.locator(".response-words").innerText()).toBe(evil);
    expect(await page.evaluate(() => "hit" in window)).toBe(false);
    expect(problems).toEqual([]);
    await page.context().close();
  });
});

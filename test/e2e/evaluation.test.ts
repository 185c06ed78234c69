import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { EvaluationImages } from "../../src/server/studio/api.js";
import { seriousFindings } from "./support/accessibility.js";
import { launchBrowser, openPage, screenshot, withoutBrowser } from "./support/browser.js";

describe.skipIf(withoutBrowser())("stepping through training", () => {
  let browser: Browser;
  let images: EvaluationImages;
  let address: string;
  beforeAll(async () => {
    browser = await launchBrowser();
    const answer = await fetch(
      `${inject("recorded")}api/runs/tiny/evaluations/images?set=plaza&decoding=greedy`,
    );
    images = (await answer.json()) as EvaluationImages;
    address = `${inject("recorded")}#/run/tiny/eval/plaza/${images.images[0]!.id}`;
  });
  afterAll(() => browser.close());

  it.each([
    { name: "evaluation", scheme: "light", width: 1280 },
    { name: "evaluation-dark-narrow", scheme: "dark", width: 390 },
  ] as const)("shows one picture at every evaluated step ($name)", async ({ name, scheme, width }) => {
    const { page, problems } = await openPage(browser, address, { scheme, width });
    await page.locator(".step-card").first().waitFor();
    expect(await page.locator(".step-card").count()).toBe(images.steps.length);
    await screenshot(page, name);
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(sideways).toBeLessThanOrEqual(0);
    expect(await seriousFindings(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("goes from step to step by keys, with the F1 that the server counts", async () => {
    const { page, problems } = await openPage(browser, address);
    const slider = page.getByRole("slider", { name: /^Step/ });
    await slider.waitFor();
    const words = (place: number) =>
      `step ${images.steps[place]}, F1 ${images.images[0]!.f1[place]!.toFixed(2)}`;
    const last = images.steps.length - 1;
    expect(await slider.getAttribute("aria-valuetext")).toBe(words(last));
    await slider.focus();
    await page.keyboard.press("Home");
    await expect.poll(() => slider.getAttribute("aria-valuetext")).toBe(words(0));
    expect(page.url()).toContain(`step=${images.steps[0]}`);
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => slider.getAttribute("aria-valuetext")).toBe(words(1));
    await page.getByRole("heading", { name: `At step ${images.steps[1]}` }).waitFor();
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("shows sampled responses one by one, and where they disagree", async () => {
    const { page, problems } = await openPage(browser, address);
    await page.getByRole("button", { name: "Sampled" }).click();
    await page.getByRole("button", { name: "Disagreement", exact: true }).waitFor();
    const text = page.locator(".response-words");
    await page.getByRole("button", { name: /^#2/ }).click();
    await expect.poll(() => page.url()).toContain("response=1");
    expect(await text.innerText()).toContain("<answer>");
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("goes on to the next picture at the same step", async () => {
    const { page } = await openPage(browser, `${address}?step=${images.steps[1]}`);
    await page.getByRole("link", { name: "Next →" }).click();
    await page.getByRole("heading", { name: images.images[1]!.id }).waitFor();
    expect(page.url()).toContain(`step=${images.steps[1]}`);
    await page.context().close();
  });
});

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { seriousFindings } from "./support/accessibility.js";
import { launchBrowser, openPage, screenshot, withoutBrowser } from "./support/browser.js";

describe.skipIf(withoutBrowser())("the studio's page", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  it.each([
    { name: "runs", scheme: "light", width: 1280 },
    { name: "runs-dark-narrow", scheme: "dark", width: 390 },
  ] as const)("lists recorded runs ($name)", async ({ name, scheme, width }) => {
    const { page, problems } = await openPage(browser, inject("recorded"), { scheme, width });
    await page.getByText("second").first().waitFor();
    await page.getByText("tiny").first().waitFor();
    await screenshot(page, name);
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(sideways).toBeLessThanOrEqual(0);
    expect(await seriousFindings(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("says what to do where there is no run yet", async () => {
    const { page, problems } = await openPage(browser, inject("empty"));
    await page.getByText("dip-r1 start").first().waitFor();
    await screenshot(page, "empty");
    expect(await seriousFindings(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("hears of the steps of a run that is training", async () => {
    const { page, problems } = await openPage(browser, inject("training"));
    await page.getByText("training").first().waitFor();
    const stepOf = () =>
      page.evaluate(async () => {
        const answer = await fetch("api/runs/training");
        return ((await answer.json()) as { step: number }).step;
      });
    const heard = page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const events = new EventSource("api/events?run=training");
          events.addEventListener("metrics", (event) => {
            const { steps } = JSON.parse((event as MessageEvent<string>).data) as { steps: number[] };
            events.close();
            resolve(steps.at(-1)!);
          });
        }),
    );
    const before = await stepOf();
    expect(await heard).toBeGreaterThanOrEqual(before);
    await screenshot(page, "training");
    expect(problems).toEqual([]);
    await page.context().close();
  });
});

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { launchBrowser, openPage, screenshot, withoutBrowser } from "./support/browser.js";

/** What has to be of no effect: no script ran, no element was made of a text. */
async function harm(page: Page): Promise<unknown> {
  return page.evaluate(() => ({
    ran: (window as { pwned?: unknown }).pwned ?? null,
    made: document.querySelectorAll('img[src="x"], svg[onload], a[href^="javascript:"], script:not([src])')
      .length,
  }));
}

describe.skipIf(withoutBrowser())("a run whose texts are HTML with scripts", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  it("is shown as the texts that they are, in every view", async () => {
    const base = inject("hostile");
    const { page, problems } = await openPage(browser, base);
    const { groups } = (await (await fetch(`${base}api/runs/hostile/groups?limit=1`)).json()) as {
      groups: { step: number; sample: string }[];
    };
    const [{ step, sample }] = groups as [(typeof groups)[number]];
    const group = `#/run/hostile/group/${step}/${encodeURIComponent(sample)}`;
    for (const [hash, shown] of [
      ["#/", "window.pwned"],
      ["#/run/hostile", "window.pwned"],
      [group, "window.pwned"],
      ["#/run/hostile/eval/plaza/plaza-72-000001?decoding=greedy&step=0", "window.pwned"],
      ["#/compare?runs=hostile", "hostile"],
      ["#/detect", "Detect"],
    ] as const) {
      await page.goto(`${base}${hash}`);
      await page.getByText(shown).first().waitFor({ state: "attached" });
      expect([hash, await harm(page)]).toEqual([hash, { ran: null, made: 0 }]);
    }
    await page.goto(`${base}${group}`);
    await page.getByText("window.pwned").first().waitFor({ state: "attached" });
    await screenshot(page, "hostile-group");
    // The picture of a sample with such a name is not there: that answer is a 404, no problem of the page.
    expect(problems.filter((problem) => !problem.includes("404"))).toEqual([]);
    await page.context().close();
  });
});

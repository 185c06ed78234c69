import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { seriousFindings } from "./support/accessibility.js";
import { launchBrowser, openPage, screenshot, withoutBrowser, type PageOptions } from "./support/browser.js";

/** Every view of a run, by name. */
async function addresses(base: string, run: string): Promise<[name: string, hash: string][]> {
  const { groups } = (await (await fetch(`${base}api/runs/${run}/groups?sort=step&limit=1`)).json()) as {
    groups: { step: number; sample: string }[];
  };
  const { step, sample } = groups[0]!;
  const tabs = ["curves", "evaluations", "groups", "alarms", "configuration"];
  return [
    ["runs", "#/"],
    ...tabs.map((tab): [string, string] => [`run-${tab}`, `#/run/${run}?tab=${tab}`]),
    ["group", `#/run/${run}/group/${step}/${sample}`],
    ["evaluation", `#/run/${run}/eval/plaza/plaza-72-000000?decoding=greedy`],
    ["compare", `#/compare?runs=${run}`],
    ["detect", "#/detect"],
  ];
}

/** Waits until nothing on the page says that it is loading. */
async function settled(page: Page): Promise<void> {
  await page.locator("main h1").first().waitFor();
  await page.waitForFunction(() => !/Loading .* …/.test(document.querySelector("main")?.textContent ?? ""));
}

describe.skipIf(withoutBrowser())("every view", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  it.each([
    {
      studio: "recorded",
      run: "tiny",
      name: "recorded-narrow-dark",
      options: { width: 390, scheme: "dark" },
    },
    { studio: "training", run: "training", name: "while-training", options: {} },
  ] as const satisfies readonly { options: PageOptions; [key: string]: unknown }[])(
    "is whole, reachable and quiet: $name",
    async ({ studio, run, name, options }) => {
      const base = inject(studio);
      const { page, problems } = await openPage(browser, base, options);
      // All views before the verdict: one look at the report tells everything.
      const found: string[] = [];
      for (const [view, hash] of await addresses(base, run)) {
        await page.goto(`${base}${hash}`);
        await settled(page);
        await screenshot(page, `${name}-${view}`);
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (sideways > 0) found.push(`${view}: ${sideways} pixels wider than the window`);
        found.push(...(await seriousFindings(page)).map((finding) => `${view}: ${finding}`));
      }
      expect(found).toEqual([]);
      expect(problems).toEqual([]);
      await page.context().close();
    },
  );
});

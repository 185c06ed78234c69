import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { GroupDetail, GroupPage } from "../../src/server/studio/api.js";
import { seriousFindings } from "./support/accessibility.js";
import { launchBrowser, openPage, screenshot, withoutBrowser } from "./support/browser.js";

/** A group whose tokens were recorded. */
const GROUP = "#/run/tiny/group/24/plaza-71-000005";
const sideways = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
const json = async <T>(path: string) => (await (await fetch(inject("recorded") + path)).json()) as T;

describe.skipIf(withoutBrowser())("the group view", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  it.each([
    { name: "group", scheme: "light", width: 1280 },
    { name: "group-dark", scheme: "dark", width: 1280 },
    { name: "group-narrow", scheme: "light", width: 390 },
    { name: "group-dark-narrow", scheme: "dark", width: 390 },
  ] as const)(
    "shows every response and whatever it earned, to everybody ($name)",
    async ({ name, scheme, width }) => {
      const { page, problems } = await openPage(browser, inject("recorded") + GROUP, { scheme, width });
      await page.locator(".response-card").first().waitFor();
      await page.getByRole("button", { name: "Disagreement", exact: true }).click();
      const advantages = await page.locator(".response-card-head strong").allInnerTexts();
      const numbers = advantages.map((text) => Number(text.replace("−", "-")));
      expect(numbers.length).toBe(4);
      expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
      await screenshot(page, name);
      expect(await sideways(page)).toBeLessThanOrEqual(0);
      expect(await seriousFindings(page)).toEqual([]);
      expect(problems).toEqual([]);
      await page.context().close();
    },
  );

  it("adds up the recorded reward, part by part", async () => {
    const detail = await json<GroupDetail>("api/runs/tiny/group?step=24&sample=plaza-71-000005");
    const { page } = await openPage(browser, `${inject("recorded")}${GROUP}?response=1`);
    await page.locator(".reward-account").waitFor();
    const numbers = (await page.locator(".reward-account tbody .number:last-child").allInnerTexts()).map(
      Number,
    );
    const total = Number(await page.locator(".reward-account tfoot .number").innerText());
    expect(total).toBeCloseTo(detail.responses[1]!.total, 3);
    expect(numbers.reduce((sum, value) => sum + value, 0)).toBeCloseTo(total, 2);
    await page.context().close();
  });

  it("links boxes, text and table, by pointer and by keyboard", async () => {
    const { page, problems } = await openPage(browser, inject("recorded") + GROUP);
    const third = page.locator("[data-box='answer:2']");
    await third.waitFor();
    await third.hover();
    expect(await page.locator(".overlay-about").innerText()).toMatch(/^Answer 3, person,/);
    // The first Tab from the picture goes to its first box, and says what it is.
    await page.locator(".overlay-stage").focus();
    await page.keyboard.press("Tab");
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
    expect(await focused()).toMatch(/^Answer 1, person, hits object \d+ at IoU 0\.\d\d/);
    expect(await page.locator("[data-box='answer:0'].piece-on").count()).toBeGreaterThan(0);
    await page.keyboard.press("Tab");
    expect(await focused()).toMatch(/^Answer 2,/);
    await page.keyboard.press("Escape");
    expect(await page.locator(".piece-on").count()).toBe(0);
    await page.locator(".box-row").nth(3).click();
    expect(await page.locator("[data-box='answer:3'].piece-on").count()).toBeGreaterThan(0);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("zooms and moves by keys, wheel and drag", async () => {
    const { page } = await openPage(browser, inject("recorded") + GROUP);
    const stage = page.locator(".overlay-stage");
    await stage.waitFor();
    const zoomed = async () => Number((await page.locator(".overlay-percent").innerText()).replace("%", ""));
    const box = () => page.locator(".overlay-boxes button").first().boundingBox();
    // One per cent until the picture is there and has been fitted to the stage.
    await expect.poll(zoomed).toBeGreaterThan(100);
    const [fitted, before] = [await zoomed(), await box()];
    await stage.focus();
    await page.keyboard.press("+");
    // The page draws a moment after each key or movement.
    await expect.poll(zoomed).toBeCloseTo(1.4 * fitted, -1);
    const near = (await box())!;
    expect(near.width).toBeGreaterThan(before!.width);
    await page.keyboard.press("ArrowRight");
    await expect.poll(async () => (await box())!.x).toBeLessThan(near.x);
    await page.keyboard.press("0");
    await expect.poll(zoomed).toBe(fitted);
    const place = (await stage.boundingBox())!;
    await page.mouse.move(place.x + place.width / 2, place.y + place.height / 2);
    await page.mouse.wheel(0, -300);
    await expect.poll(zoomed).toBeGreaterThan(fitted);
    const wheeled = (await box())!;
    await page.mouse.down();
    await page.mouse.move(place.x + place.width / 2 - 40, place.y + place.height / 2, { steps: 4 });
    await page.mouse.up();
    await expect.poll(async () => (await box())!.x).toBeLessThan(wheeled.x);
    await page.context().close();
  });

  it("colours tokens where they were recorded, and says so where they were not", async () => {
    const { page } = await openPage(browser, inject("recorded") + GROUP);
    for (const name of ["Probability", "Ratio to reference", "Advantage"]) {
      await page.getByRole("button", { name, exact: true }).click();
      expect(await page.locator(".token-up").count()).toBeGreaterThan(5);
    }
    await screenshot(page, "group-tokens");
    const { page: other } = await openPage(
      browser,
      `${inject("recorded")}#/run/tiny/group/2/plaza-71-000005`,
    );
    await other.getByText("Tokens were not recorded").waitFor();
    expect(await other.getByRole("button", { name: "Probability" }).isDisabled()).toBe(true);
    await page.context().close();
    await other.context().close();
  });

  it("walks through the groups that the filter lets through", async () => {
    const query = "sort=reward&minObjects=1&limit=3";
    const { groups, matching } = await json<GroupPage>(`api/runs/tiny/groups?${query}`);
    const [first, second] = [groups[0]!, groups[1]!];
    const { page } = await openPage(
      browser,
      `${inject("recorded")}#/run/tiny/group/${first.step}/${first.sample}?minObjects=1&sort=reward`,
    );
    await page.getByText(`1 of ${matching} groups`).waitFor();
    await page.getByRole("link", { name: "Next →" }).click();
    await page.getByText(`2 of ${matching} groups`).waitFor();
    expect(page.url()).toContain(`/group/${second.step}/${second.sample}?`);
    expect(page.url()).toContain("minObjects=1");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByRole("button", { name: "Clear the filter" }).click();
    expect(page.url()).not.toContain("minObjects");
    await page.context().close();
  });

  it.each(["png", "svg"] as const)("saves what is shown as %s", async (kind) => {
    const { page, problems } = await openPage(browser, inject("recorded") + GROUP);
    await page.locator(".overlay-stage").waitFor();
    await page.getByRole("button", { name: "Disagreement", exact: true }).click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: kind.toUpperCase(), exact: true }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(
      new RegExp(`^plaza-71-000005-step-24-response-\\d\\.${kind}$`),
    );
    const content = readFileSync(await download.path());
    const isPng = content.subarray(1, 4).toString() === "PNG";
    const isSvg = content.toString().startsWith('<svg xmlns="http://www.w3.org/2000/svg"');
    expect({ png: isPng, svg: isSvg }[kind]).toBe(true);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("shows what a model wrote as text, also where it is a script", async () => {
    const { page, problems } = await openPage(browser, inject("recorded"));
    const evil = `<think><img src=x onerror="window.hit=1"><script>window.hit=1</script></think><look>[]</look><answer>[]</answer>`;
    await page.route("**/api/runs/tiny/group?*", async (route) => {
      const detail = (await (await route.fetch()).json()) as GroupDetail;
      const responses = detail.responses.map((response) => ({
        ...response,
        text: evil,
        stretches: [{ start: 0, end: evil.length, kind: "think" }],
        regions: [],
        answer: response.answer.map((box) => ({ ...box, label: evil, start: 7, end: 20 })),
      }));
      await route.fulfill({ json: { ...detail, sample: detail.sample, responses } });
    });
    await page.goto(inject("recorded") + GROUP);
    await page.getByText("window.hit=1").first().waitFor();
    expect(await page.locator(".response-words").innerText()).toBe(evil);
    expect(await page.locator(".response-words img, .response-words script").count()).toBe(0);
    expect(await page.evaluate(() => "hit" in window)).toBe(false);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("says what is wrong with an address that leads nowhere", async () => {
    const { page } = await openPage(browser, `${inject("recorded")}#/run/tiny/group/24/nobody`);
    await page.getByRole("alert").waitFor();
    expect(await page.getByRole("alert").innerText()).toContain("nobody");
    await screenshot(page, "group-missing");
    expect(await seriousFindings(page)).toEqual([]);
    await page.context().close();
  });
});

/** @file What axe-core finds on a page: its serious and critical findings, in words. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * Findings of impact serious or critical (WCAG 2.2 A and AA, contrast among them), one line each; none is what a view must
 * have.
 * @example expect(await seriousFindings(page)).toEqual([])
 */
export async function seriousFindings(page: Page): Promise<string[]> {
  // By the debugger's protocol, which the page's content security policy does not concern.
  await page.evaluate(source);
  const results = (await page.evaluate(
    `axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })`,
  )) as AxeResults;
  return results.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(" ")}: ${failureSummary}`),
    );
}

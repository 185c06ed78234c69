/** @file report.html: a run's results in one file that asks no host for anything, readable on a phone, light and dark. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { comparedMetrics, verdictOf, type Comparison, type ComparisonRow } from "./comparison.js";
import { html, scriptJson, trusted, type Html } from "./html.js";
import { reportScript, reportStyle } from "./report-style.js";
import { formatChange } from "./table.js";

/** Curves over the steps in one frame. */
export interface Chart {
  readonly title: string;
  /** Steps. */
  readonly x: readonly number[];
  /** One value a step; null where it was not measured. */
  readonly series: readonly { readonly label: string; readonly y: readonly (number | null)[] }[];
}

/** A picture of the gallery. */
export interface ReportPicture {
  /** PNG. */
  readonly png: Uint8Array;
  readonly caption: string;
}

/** Everything a report shows. */
export interface Report {
  readonly title: string;
  /** One sentence under the title. */
  readonly summary?: string;
  readonly comparison?: Comparison;
  readonly charts?: readonly Chart[];
  readonly pictures?: readonly ReportPicture[];
  /** The recipe as text (YAML). */
  readonly recipe?: string;
  /** Seed, fingerprints, versions: label and value. */
  readonly facts?: readonly (readonly [label: string, value: string])[];
}

const number = (value: number) => (Number.isNaN(value) ? "-" : value.toFixed(3));

function rowHtml(comparison: Comparison, row: ComparisonRow): Html {
  const domain = row.domain === "in" ? "in-domain" : "out of domain";
  const policies = row.policies.map(
    (policy, index) =>
      html`<tr>
        <td>${comparison.policies[index]}</td>
        ${comparedMetrics.map(({ key }) => {
          const interval = policy[key];
          return interval === undefined
            ? html`<td>-</td>`
            : html`<td>
                ${number(interval.value)}<small>${number(interval.low)} to ${number(interval.high)}</small>
              </td>`;
        })}
      </tr>`,
  );
  const { change } = row;
  const changes = change
    ? html`<tr>
        <td>change</td>
        ${comparedMetrics.map(({ key }) => {
          const one = change[key];
          if (one === undefined) return html`<td>-</td>`;
          const verdict = verdictOf(key, one);
          const style = verdict === "better" ? "good" : verdict === "worse" ? "bad" : "muted";
          return html`<td class="${style}">${formatChange(one)}</td>`;
        })}
      </tr>`
    : undefined;
  return html`<tbody>
    <tr class="set">
      <th colspan="${comparedMetrics.length + 1}" scope="rowgroup">
        ${row.set} <span class="muted">${domain}, ${row.decoding}, ${row.images} images</span>
      </th>
    </tr>
    ${policies} ${changes}
  </tbody>`;
}

function headline(comparison: Comparison): Html | undefined {
  const cards = comparison.rows.flatMap((row) => {
    const first = row.policies[0]?.f1;
    const last = row.policies.at(-1)?.f1;
    if (row.domain !== "in" || first === undefined || last === undefined) return [];
    const change = row.change?.f1;
    return [
      html`<li>
        <span class="muted">F1, ${row.set}, ${row.decoding}</span
        ><b>${comparison.policies.length > 1 ? `${number(first.value)} → ` : ""}${number(last.value)}</b>
        ${
          change
            ? html`<span
                class="${{ better: "good", worse: "bad", unclear: "muted" }[verdictOf("f1", change)]}"
                >${formatChange(change)}</span
              >`
            : undefined
        }
      </li>`,
    ];
  });
  return cards.length > 0
    ? html`<ul class="headline">
        ${cards}
      </ul>`
    : undefined;
}

function comparisonHtml(comparison: Comparison): Html {
  const level = Math.round(100 * (comparison.level ?? 0.95));
  const source = comparison.scoreSource
    ? ` AP50 ranks boxes by the score source "${comparison.scoreSource}".`
    : "";
  return html`<section>
    ${headline(comparison)}
    <h2>${comparison.policies.join(" / ")}</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Results">
      <table>
        <thead>
          <tr>
            <th scope="col"></th>
            ${comparedMetrics.map(({ title }) => html`<th scope="col">${title}</th>`)}
          </tr>
        </thead>
        ${comparison.rows.map((row) => rowHtml(comparison, row))}
      </table>
    </div>
    <p class="muted">
      ${level}% bootstrap intervals over images. Changes are paired by image and coloured where their interval
      leaves out zero. Count error is the mean absolute difference of the number of people.${source}
    </p>
  </section>`;
}

/**
 * The report as one HTML page.
 * @example await writeFileAtomic("report.html", await renderReport({ title: "DIP-R1", comparison, charts }))
 */
export async function renderReport(report: Report): Promise<string> {
  const charts = (report.charts ?? []).map((chart, index) => ({ ...chart, id: `chart-${index}` }));
  const require = createRequire(import.meta.url);
  const [plotScript, plotStyle] =
    charts.length > 0
      ? await Promise.all([
          readFile(require.resolve("uplot/dist/uPlot.iife.min.js"), "utf8"),
          readFile(require.resolve("uplot/dist/uPlot.min.css"), "utf8"),
        ])
      : ["", ""];
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <link rel="icon" href="data:," />
        <title>${report.title}</title>
        <style>
          ${trusted(plotStyle)}${trusted(reportStyle)}
        </style>
      </head>
      <body>
        <main>
          <h1>${report.title}</h1>
          ${report.summary === undefined ? undefined : html`<p class="muted">${report.summary}</p>`}
          ${report.comparison && comparisonHtml(report.comparison)}
          ${
            charts.length > 0
              ? html`<section>
                  <h2>Training</h2>
                  <div class="charts">
                    ${charts.map(
                      ({ id, title }) =>
                        html`<div class="chart">
                          <h3>${title}</h3>
                          <div id="${id}"></div>
                        </div>`,
                    )}
                  </div>
                </section>`
              : undefined
          }
          ${
            report.pictures && report.pictures.length > 0
              ? html`<section>
                  <h2>Pictures</h2>
                  <div class="gallery">
                    ${report.pictures.map(
                      ({ png, caption }) =>
                        html`<figure>
                          <img
                            alt="${caption}"
                            src="data:image/png;base64,${Buffer.from(png).toString("base64")}"
                          />
                          <figcaption>${caption}</figcaption>
                        </figure>`,
                    )}
                  </div>
                </section>`
              : undefined
          }
          ${
            report.facts && report.facts.length > 0
              ? html`<section>
                  <h2>Provenance</h2>
                  <dl>
                    ${report.facts.map(
                      ([label, value]) =>
                        html`<dt>${label}</dt>
                          <dd>${value}</dd>`,
                    )}
                  </dl>
                </section>`
              : undefined
          }
          ${
            report.recipe === undefined
              ? undefined
              : html`<section>
                  <details>
                    <summary>Recipe</summary>
                    ${trusted("<pre>")}${report.recipe}${trusted("</pre>")}
                  </details>
                </section>`
          }
        </main>
        ${
          charts.length > 0
            ? html`<script>
                ${trusted(plotScript)};
                window.dipCharts = ${scriptJson(charts)};
                ${trusted(reportScript)};
              </script>`
            : undefined
        }
      </body>
    </html>`;
  return page.html + "\n";
}

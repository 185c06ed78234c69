/** @file Parts of one set as a table: where objects crowd, by height, by how much of them can be seen. */
import { useState } from "preact/hooks";
import type { CompareSet, Comparison, SliceNumber } from "../../../src/server/studio/compare-api.js";
import { NumberCell } from "./result-view.js";
import { dimensionTitles, sliceNumbers, sliceTable } from "./tables.js";

/** The table, with the choice of its number. */
export function SliceView({
  comparison,
  set,
  names,
}: {
  readonly comparison: Comparison;
  readonly set: CompareSet;
  readonly names: readonly string[];
}) {
  const [number, setNumber] = useState<SliceNumber>("f1");
  const rows = sliceTable(set.slices, number);
  const keys = (Object.keys(sliceNumbers) as SliceNumber[]).filter(
    (key) => sliceTable(set.slices, key).length > 0,
  );
  return (
    <section class="card stack-s" aria-labelledby="compare-slices">
      <div class="card-head">
        <h2 id="compare-slices">Parts of {set.set}</h2>
        <div class="segments" role="group" aria-label="Number">
          {keys.map((key) => (
            <button key={key} type="button" aria-pressed={key === number} onClick={() => setNumber(key)}>
              {sliceNumbers[key].title}
            </button>
          ))}
        </div>
      </div>
      <div
        class="table-box compare-table"
        tabIndex={0}
        role="region"
        aria-label={`Table of the parts of ${set.set}`}
      >
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Part</th>
              <th scope="col" class="number">
                objects
              </th>
              {names.map((name, k) => (
                <th key={k} scope="col" class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          {[...new Set(rows.map(({ by }) => by))].map((by) => (
            <tbody key={by}>
              <tr class="compare-group">
                <th scope="rowgroup" colSpan={names.length + 2}>
                  <span class="compare-stick">{dimensionTitles[by]}</span>
                </th>
              </tr>
              {rows
                .filter((row) => row.by === by)
                .map(({ bucket, objects, cells }) => (
                  <tr key={bucket}>
                    <th scope="row">{bucket}</th>
                    <td class="number">{Math.round(objects).toLocaleString("en-US")}</td>
                    {cells.map((cell, k) => (
                      <NumberCell
                        key={k}
                        cell={cell}
                        level={comparison.level}
                        baseline={names[comparison.baseline]!}
                      />
                    ))}
                  </tr>
                ))}
            </tbody>
          ))}
        </table>
      </div>
      {number === "recall" && (
        <p class="small muted">
          A false alarm has no visible share: of occlusion there is recall alone, at IoU 0.5 as all of this
          table.
        </p>
      )}
    </section>
  );
}

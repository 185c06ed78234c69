/** @file What was run: the whole recipe, where it came from, and what it ran on. */
import { useState } from "preact/hooks";
import type { RunDetail } from "../../../src/server/studio/api.js";
import { api } from "../api.js";
import { dateTime, fileName, leaf } from "../format.js";
import { Command } from "../ui/command.js";
import { downloadText } from "../ui/download.js";
import { resumeCommand } from "../ui/resume-command.js";
import { useData } from "../ui/use-data.js";

const isTree = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A leaf of the recipe, by its dotted path. */
export function leavesOf(
  tree: Readonly<Record<string, unknown>>,
  above = "",
): (readonly [string, unknown])[] {
  return Object.entries(tree).flatMap(([key, value]) => {
    const path = above === "" ? key : `${above}.${key}`;
    return isTree(value) && Object.keys(value).length > 0 ? leavesOf(value, path) : [[path, value] as const];
  });
}

/** Settings under one heading. */
function Part({
  name,
  value,
  set,
}: {
  readonly name: string;
  readonly value: unknown;
  readonly set: ReadonlySet<string>;
}) {
  const leaves = isTree(value) ? leavesOf(value) : [["", value] as const];
  if (leaves.length === 0) return null;
  return (
    <details class="config-part" open>
      <summary>
        <h4>{name}</h4>
      </summary>
      <dl class="facts">
        {leaves.map(([path, one]) => {
          const whole = path === "" ? name : `${name}.${path}`;
          return (
            <div key={whole} class="fact">
              <dt class="mono">{path === "" ? name : path}</dt>
              <dd class="mono">
                {leaf(one)} {set.has(whole) && <span class="badge badge-accent">--set</span>}
              </dd>
            </div>
          );
        })}
      </dl>
    </details>
  );
}

function Facts({
  title,
  facts,
}: {
  readonly title: string;
  readonly facts: readonly (readonly [string, string])[];
}) {
  return (
    <div class="card">
      <div class="card-head">
        <h3>{title}</h3>
      </div>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name} class="fact">
            <dt>{name}</dt>
            <dd class={/^[0-9a-f]{64}$/.test(value) ? "mono" : undefined}>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

/** Recipe and manifest. */
export function Configuration({ run }: { readonly run: RunDetail }) {
  const [find, setFind] = useState("");
  const studio = useData("studio", (signal) => api.studio(signal));
  const set = new Set(run.source.set.map((pair) => pair.split("=")[0]!));
  const wanted = find.trim().toLowerCase();
  // Settings at the top level stand together, those of a part in it.
  const entries = Object.entries(run.recipe);
  const flat = Object.fromEntries(entries.filter(([, value]) => !isTree(value)));
  const parts: (readonly [string, unknown])[] = entries.filter(([, value]) => isTree(value));
  const matching = leavesOf(run.recipe).filter(
    ([path, value]) => wanted !== "" && `${path} ${leaf(value)}`.toLowerCase().includes(wanted),
  );
  return (
    <section class="stack" aria-labelledby="configuration-title">
      <h2 id="configuration-title">Configuration</h2>
      {run.status !== "done" && run.status !== "training" && studio.data && (
        <div class="card stack-s">
          <h3>Go on with this run</h3>
          <Command>{resumeCommand(run, studio.data.runs)}</Command>
        </div>
      )}
      <div class="config-grid">
        <div class="card stack-s">
          <div class="row row-between">
            <h3>Recipe</h3>
            <div class="row">
              <label class="field">
                <span class="sr-only">Find a setting</span>
                <input
                  type="search"
                  placeholder="Find a setting"
                  value={find}
                  onInput={({ currentTarget }) => setFind(currentTarget.value)}
                />
              </label>
              <button
                type="button"
                class="button"
                onClick={() =>
                  // YAML holds JSON: the file is a recipe that `dip-r1 train` takes.
                  downloadText(
                    `${fileName(run.name)}.recipe.yaml`,
                    `${JSON.stringify(run.recipe, null, 2)}\n`,
                    "application/yaml",
                  )
                }
              >
                Save as a recipe
              </button>
            </div>
          </div>
          {wanted === "" ? (
            <>
              <dl class="facts">
                {Object.entries(flat).map(([name, value]) => (
                  <div key={name} class="fact">
                    <dt class="mono">{name}</dt>
                    <dd class="mono">
                      {leaf(value)} {set.has(name) && <span class="badge badge-accent">--set</span>}
                    </dd>
                  </div>
                ))}
              </dl>
              {parts.map(([name, value]) => (
                <Part key={name} name={name} value={value} set={set} />
              ))}
            </>
          ) : (
            <dl class="facts">
              {matching.map(([path, value]) => (
                <div key={path} class="fact">
                  <dt class="mono">{path}</dt>
                  <dd class="mono">{leaf(value)}</dd>
                </div>
              ))}
              {matching.length === 0 && <p class="muted">No setting holds “{find}”.</p>}
            </dl>
          )}
        </div>
        <div class="stack">
          <Facts
            title="Where it came from"
            facts={[
              ["Recipe", run.source.path],
              ["Set over it", run.source.set.length === 0 ? "nothing" : run.source.set.join(", ")],
              ["Model", run.model],
              ["Engine", run.engine],
              ["Prompt", run.prompt],
              ["Labels", run.labels.join(", ")],
              ["Seed", String(run.seed)],
              ["Created", dateTime(run.created)],
              ["Last written", dateTime(run.updated)],
              ...(run.resumed.length > 0
                ? [
                    [
                      "Taken up again",
                      `after ${run.resumed.map((step) => `step ${step}`).join(", ")}`,
                    ] as const,
                  ]
                : []),
              ["Folder", run.id],
            ]}
          />
          <Facts title="Versions" facts={Object.entries(run.versions)} />
          <Facts title="Fingerprints (sha256)" facts={Object.entries(run.fingerprints)} />
        </div>
      </div>
    </section>
  );
}

/** @file What is asked of whom: the model, how many responses, how they are drawn. */
import type { StudioModel } from "../../../src/server/studio/api.js";

/** Settings of a detection. */
export interface Settings {
  readonly model: string;
  readonly samples: number;
  /** "" = 0 for one response, 1 for several. */
  readonly temperature: string;
  readonly maxTokens: number;
  readonly seed: number;
  /** By commas; "" = the model's own. */
  readonly labels: string;
}

/** As the API's defaults. */
export const defaultSettings: Settings = {
  model: "",
  samples: 1,
  temperature: "",
  maxTokens: 256,
  seed: 0,
  labels: "",
};

const origins: Readonly<Record<StudioModel["from"], string>> = {
  option: "Given by --model",
  server: "Served",
  run: "Results of runs",
  shipped: "Comes with the package",
};

/** Labels as a list; nothing for none. */
export function labelList(labels: string): string[] | undefined {
  const list = labels
    .split(",")
    .map((label) => label.trim())
    .filter((label) => label !== "");
  return list.length > 0 ? [...new Set(list)] : undefined;
}

const COUNTS = [1, 4, 8, 16];

/** The form. */
export function SettingsForm({
  models,
  settings,
  onSettings,
  disabled,
}: {
  readonly models: readonly StudioModel[];
  readonly settings: Settings;
  readonly onSettings: (settings: Settings) => void;
  readonly disabled: boolean;
}) {
  const model = models.find(({ id }) => id === settings.model) ?? models[0];
  const change = (part: Partial<Settings>) => onSettings({ ...settings, ...part });
  const groups = Object.keys(origins) as StudioModel["from"][];
  return (
    <fieldset class="detect-settings" disabled={disabled}>
      <legend class="sr-only">What to ask</legend>
      <label class="field">
        <span>Model</span>
        <select value={model?.id ?? ""} onChange={(event) => change({ model: event.currentTarget.value })}>
          {groups.map((from) => {
            const of = models.filter((one) => one.from === from);
            return of.length === 0 ? null : (
              <optgroup key={from} label={origins[from]}>
                {of.map(({ id, title }) => (
                  <option key={id} value={id}>
                    {title}
                  </option>
                ))}
              </optgroup>
            );
          })}
        </select>
      </label>
      {model !== undefined && (
        <p class="small muted">
          {model.engine === "local" ? "Runs on this machine" : "Runs on its server"}
          {model.bytes === undefined ? "" : `, ${(model.bytes / 2 ** 20).toFixed(0)} MB`}; looks for{" "}
          {model.labels.join(", ") || "what it was trained on"}
          {model.streams ? "" : "; responses come when they are finished"}.
        </p>
      )}
      <div class="field">
        <span id="detect-samples">Responses</span>
        <div class="segments" role="group" aria-labelledby="detect-samples">
          {COUNTS.map((count) => (
            <button
              key={count}
              type="button"
              aria-pressed={settings.samples === count}
              onClick={() => change({ samples: count })}
            >
              {count}
            </button>
          ))}
        </div>
      </div>
      <p class="small muted">
        {settings.samples === 1
          ? "One response, the likeliest words."
          : "Several responses, sampled: where they agree is the answer, where they differ is the doubt."}
      </p>
      <details>
        <summary class="small">More</summary>
        <div class="detect-more">
          <label class="field">
            <span>Find (labels, by commas)</span>
            <input
              type="text"
              value={settings.labels}
              placeholder={model?.labels.join(", ") ?? ""}
              onChange={(event) => change({ labels: event.currentTarget.value })}
            />
          </label>
          <label class="field">
            <span>Temperature</span>
            <input
              type="number"
              min="0"
              max="2"
              step="0.1"
              value={settings.temperature}
              placeholder={settings.samples > 1 ? "1" : "0"}
              onChange={(event) => change({ temperature: event.currentTarget.value })}
            />
          </label>
          <label class="field">
            <span>Tokens at most</span>
            <input
              type="number"
              min="1"
              max="4096"
              value={settings.maxTokens}
              onChange={(event) => change({ maxTokens: Number(event.currentTarget.value) || 256 })}
            />
          </label>
          <label class="field">
            <span>Seed</span>
            <input
              type="number"
              min="0"
              value={settings.seed}
              onChange={(event) => change({ seed: Number(event.currentTarget.value) || 0 })}
            />
          </label>
        </div>
      </details>
    </fieldset>
  );
}

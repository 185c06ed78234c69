/** @file Detect: a picture of one's own, or of a run, asked of a model; boxes and text as they come; what several responses agree on. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { api, apiUrl } from "../api.js";
import { usePicture } from "../overlay/use-picture.js";
import { navigate, href, type DetectRoute } from "../router.js";
import { Failure } from "../ui/failure.js";
import { useTitle } from "../ui/title.js";
import { useData } from "../ui/use-data.js";
import { Waiting } from "../ui/waiting.js";
import { ApiError } from "../api.js";
import { pictureOfFile, type ChosenPicture } from "./chosen-picture.js";
import { isBusy, stateInWords } from "./detect-state.js";
import { DropZone } from "./drop-zone.js";
import { Results } from "./results.js";
import { defaultSettings, labelList, SettingsForm, type Settings } from "./settings.js";
import { useDetect } from "./use-detect.js";
import "../group/group.css";
import "./detect.css";

/** The picture that the address names: a sample of a run. */
function useSample({ query }: DetectRoute): ChosenPicture | undefined {
  const { run, set, sample } = query;
  const named = run !== undefined && set !== undefined && sample !== undefined;
  const url = named ? apiUrl(`/runs/${encodeURIComponent(run)}/image`, { set, sample }) : undefined;
  const { picture, failed } = usePicture(url);
  return useMemo(() => {
    if (!named || (picture === undefined && !failed)) return undefined;
    return {
      name: sample,
      image: { run, set, sample },
      picture,
      width: picture?.width ?? 4,
      height: picture?.height ?? 3,
    };
  }, [url, picture, failed]);
}

/** The view. */
export default function DetectView({ route }: { readonly route: DetectRoute }) {
  useTitle("Detect");
  const models = useData("models", (signal) => api.models(signal));
  const [settings, setSettings] = useState<Settings>(defaultSettings);
  const [own, setOwn] = useState<ChosenPicture>();
  const [problem, setProblem] = useState<string>();
  const { state, ask, stop, clear } = useDetect();
  const sample = useSample(route);
  const chosen = own ?? sample;
  useEffect(clear, [chosen, clear]);

  const take = (file: File) => {
    pictureOfFile(file).then(
      (picture) => {
        setProblem(undefined);
        setOwn(picture);
        if (route.query.sample !== undefined) navigate(href.detect(), { replace: true });
      },
      (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
    );
  };
  const list = models.data?.models ?? [];
  const model = list.find(({ id }) => id === settings.model) ?? list[0];
  const start = () => {
    if (chosen === undefined || model === undefined) return;
    const labels = labelList(settings.labels);
    ask({
      model: model.id,
      image: chosen.image,
      samples: settings.samples,
      ...(settings.temperature !== "" && { temperature: Number(settings.temperature) }),
      maxTokens: settings.maxTokens,
      seed: settings.seed,
      ...(labels && { labels }),
    });
  };
  const busy = isBusy(state);
  const words = stateInWords(state);
  return (
    <article class="stack">
      <header>
        <h1>Detect</h1>
        <p class="muted">
          Ask a model what is in a picture, and watch it look and answer. Pictures stay on this machine
          {model?.engine === "openai" ? " and the model's server" : ""}.
        </p>
      </header>
      <div class="detect-columns">
        <aside class="stack detect-side">
          <div class="card">
            <DropZone onFile={take}>
              {chosen === undefined ? undefined : (
                <p class="detect-name">
                  <strong>{chosen.name}</strong>
                  {chosen.picture !== undefined && (
                    <span class="muted small">
                      {" "}
                      {chosen.width} × {chosen.height}
                    </span>
                  )}
                </p>
              )}
            </DropZone>
            {problem !== undefined && (
              <p class="notice notice-bad" role="alert">
                {problem}
              </p>
            )}
          </div>
          <div class="card stack-s">
            {models.error !== undefined ? (
              <Failure error={models.error} retry={models.reload} />
            ) : models.data === undefined ? (
              <Waiting for="the models" />
            ) : list.length === 0 ? (
              <div class="notice notice-warn">
                <p>
                  No model is at hand. Train one with <code>dip-r1 start</code>, or start the studio with{" "}
                  <code>--model FOLDER</code> or <code>--engine openai --url URL</code>.
                </p>
              </div>
            ) : (
              <SettingsForm models={list} settings={settings} onSettings={setSettings} disabled={busy} />
            )}
            {busy ? (
              <button type="button" class="button" onClick={stop}>
                Stop
              </button>
            ) : (
              <button
                type="button"
                class="button button-primary"
                disabled={chosen === undefined || model === undefined}
                onClick={start}
              >
                {state.phase === "idle" ? "Detect" : "Detect again"}
              </button>
            )}
            <p class="row small detect-status" role="status">
              {busy && <span class="spinner" aria-hidden="true" />}
              {chosen === undefined && model !== undefined ? "Choose a picture first." : words}
            </p>
            {state.error !== undefined && (
              <Failure
                error={
                  new ApiError(state.error.message, {
                    status: 0,
                    code: state.error.code,
                    hint: state.error.hint,
                  })
                }
              />
            )}
          </div>
        </aside>
        {chosen === undefined ? (
          <div class="card empty detect-empty">
            <h2>No picture yet</h2>
            <p class="muted">
              A photo of a crowd, a street, a plaza: the model names the regions it is unsure of, then every
              instance as a box. From a run's groups and evaluations, “Ask a model” brings their picture here.
            </p>
          </div>
        ) : (
          <Results chosen={chosen} state={state} samples={settings.samples} />
        )}
      </div>
    </article>
  );
}

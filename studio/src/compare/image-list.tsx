/** @file The same images as every entry answered them, side by side, those that differ most first. */
import { useState } from "preact/hooks";
import type {
  CompareImage,
  CompareImagesQuery,
  Comparison,
  ImageMetric,
  ImageOrder,
} from "../../../src/server/studio/compare-api.js";
import { api, pictureUrl } from "../api.js";
import { count, fileName } from "../format.js";
import { stagePng, stageSvg } from "../overlay/export-picture.js";
import type { Layer } from "../overlay/marks.js";
import { Legend } from "../overlay/legend.js";
import { Overlay, type Pointed } from "../overlay/overlay.js";
import { Thumbnail } from "../overlay/thumbnail.js";
import { defaultShown, type Shown } from "../overlay/tools.js";
import { usePicture } from "../overlay/use-picture.js";
import { href } from "../router.js";
import { downloadBlob } from "../ui/download.js";
import { Failure } from "../ui/failure.js";
import { Menu } from "../ui/menu.js";
import { Pager } from "../ui/pager.js";
import { useData } from "../ui/use-data.js";
import { Waiting } from "../ui/waiting.js";
import { compareQuery, type CompareState } from "./compare-state.js";
import { EntrySign } from "./entry-form.js";
import { entryMarks, gainWords, panelWords, sideBySide } from "./side-by-side.js";
import { SelectField } from "../ui/select-field.js";

/** How images are looked at; the exported file shows the same ones. */
export interface ImageChoice {
  /** Place of the entry that is looked at. */
  readonly target: number;
  readonly by: ImageMetric;
  readonly order: ImageOrder;
  readonly image: string;
  readonly offset: number;
}

/** Images of a page. */
export const PAGE = 8;

/** What the server is asked for images. */
export function imagesQuery(
  state: CompareState,
  set: string,
  { target, by, order, image, offset }: ImageChoice,
): CompareImagesQuery {
  return { ...compareQuery(state), set, target, by, order, image, offset, limit: PAGE };
}

const BY: Readonly<Record<ImageMetric, string>> = {
  f1: "F1",
  precision: "precision",
  recall: "recall",
  f1At75: "F1 at IoU 0.75",
  countError: "count error",
};
const ORDER: Readonly<Record<ImageOrder, string>> = {
  change: "largest difference",
  gain: "largest gain",
  loss: "largest loss",
  worst: "worst first",
  judged: "as judged",
};

/** How images were chosen, in words. */
export function choiceWords(choice: ImageChoice, names: readonly string[], baseline: number): string {
  const { target, by, order } = choice;
  const against = target === baseline ? "" : ` of ${names[target]} against ${names[baseline]}`;
  const how = {
    change: `the largest difference${against}, either way`,
    gain: `the largest gain${against}`,
    loss: `the largest loss${against}`,
    worst: `the worst of ${names[target]}`,
    judged: "the order judged",
  }[order];
  return `Ordered by ${BY[by]}: ${how}.`;
}

interface RowProps {
  readonly image: CompareImage;
  readonly comparison: Comparison;
  readonly set: string;
  readonly names: readonly string[];
  readonly choice: ImageChoice;
  readonly layers: ReadonlySet<Layer>;
}

function Row({ image, comparison, set, names, choice, layers }: RowProps) {
  const { picture, failed } = usePicture(pictureUrl(image.picture));
  const [large, setLarge] = useState(false);
  const [response, setResponse] = useState(0);
  const [shown, setShown] = useState<Shown>(defaultShown);
  const [pointed, setPointed] = useState<Readonly<Record<number, Pointed>>>({});
  const [problem, setProblem] = useState<string>();
  const most = Math.max(...image.entries.map(({ responses }) => responses.length));
  const save = async (kind: "png" | "svg") => {
    const drawn = sideBySide(image, { names, response, layers });
    const what = { ...drawn, picture, title: `${set}, ${image.id}: ${names.join(", ")}` };
    try {
      downloadBlob(
        `${fileName(set, image.id)}.${kind}`,
        kind === "svg" ? stageSvg(what) : await stagePng(what),
      );
      setProblem(undefined);
    } catch (error) {
      setProblem(`Not saved: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  return (
    <article class="card compare-image" aria-label={`Image ${image.id}`}>
      <div class="card-head">
        <h3 class="mono">{image.id}</h3>
        <div class="row">
          <span class="small">
            {count(image.truth.objects.length, "object")}
            {choice.target !== comparison.baseline && (
              <>
                {", "}
                {names[choice.target]}:{" "}
                <strong class={image.gain > 0 ? "delta-up" : image.gain < 0 ? "delta-down" : "muted"}>
                  {gainWords(image)}
                  {image.gain > 0 ? " ▲" : image.gain < 0 ? " ▼" : ""}
                </strong>
                <span class="muted">{image.gain === 0 ? "" : image.gain > 0 ? " better" : " worse"}</span>
              </>
            )}
          </span>
          {most > 1 && (
            <label class="row small">
              Response
              <select
                class="input"
                value={String(response)}
                onChange={(event) => setResponse(Number(event.currentTarget.value))}
              >
                {Array.from({ length: most }, (_, n) => (
                  <option key={n} value={String(n)}>
                    {n + 1} of {most}
                  </option>
                ))}
              </select>
            </label>
          )}
          <button type="button" class="button" aria-pressed={large} onClick={() => setLarge(!large)}>
            {large ? "Smaller" : "Look closely"}
          </button>
          <Menu label={`Save image ${image.id}`}>
            <button type="button" class="button button-plain button-s" onClick={() => void save("png")}>
              PNG
            </button>
            <button type="button" class="button button-plain button-s" onClick={() => void save("svg")}>
              SVG
            </button>
          </Menu>
        </div>
      </div>
      {failed && (
        <p class="small muted" role="status">
          The picture is not here any more (its data was moved or the recipe's path is gone); boxes are drawn
          on grey.
        </p>
      )}
      {problem !== undefined && (
        <p class="small" role="alert">
          {problem}
        </p>
      )}
      <div class={`compare-panels${large ? " compare-large" : ""}`}>
        {comparison.entries.map((entry, k) => {
          const marks = entryMarks(image, k, response);
          return (
            <div key={entry.id} class="compare-panel stack-s">
              <div>
                <div class="row compare-panel-name">
                  <EntrySign at={k} />
                  <a
                    href={href.evaluation(entry.run, set, image.id, {
                      step: entry.step,
                      decoding: comparison.decoding,
                    })}
                  >
                    {names[k]}
                    <span class="sr-only">: image {image.id} through training</span>
                  </a>
                </div>
                <p class="small muted">{panelWords(image, k, response)}</p>
              </div>
              {large ? (
                <Overlay
                  label={`${names[k]}, ${image.id}`}
                  file={`${set}-${image.id}-${names[k]}`}
                  scene={image.canvas}
                  picture={picture}
                  marks={marks}
                  shown={shown}
                  onShown={setShown}
                  pointed={pointed[k] ?? {}}
                  onPointed={(one) => setPointed({ ...pointed, [k]: one })}
                />
              ) : (
                <Thumbnail scene={image.canvas} picture={picture} marks={marks} layers={layers} />
              )}
            </div>
          );
        })}
      </div>
    </article>
  );
}

const LAYERS = { answer: "Answers", truth: "Objects", look: "Look", ignore: "Ignore" } as const;

/** Properties of {@link ImageList}. */
export interface ImageListProps {
  readonly state: CompareState;
  readonly comparison: Comparison;
  readonly set: string;
  readonly names: readonly string[];
  readonly choice: ImageChoice;
  readonly onChoice: (choice: ImageChoice) => void;
}

/** The list with its filters. */
export function ImageList({ state, comparison, set, names, choice, onChoice }: ImageListProps) {
  const query = imagesQuery(state, set, choice);
  const { data, error, loading, reload } = useData(JSON.stringify(query), (signal) =>
    api.compareImages(query, signal),
  );
  const [layers, setLayers] = useState<ReadonlySet<Layer>>(defaultShown.layers);
  const change = (part: Partial<ImageChoice>) => onChoice({ ...choice, offset: 0, ...part });
  const toggle = (layer: Layer) => {
    const next = new Set(layers);
    if (!next.delete(layer)) next.add(layer);
    setLayers(next);
  };
  const marks = data?.images.flatMap((image) => names.flatMap((_, k) => entryMarks(image, k, 0))) ?? [];
  return (
    <section class="stack" aria-labelledby="compare-images">
      <div class="stack-s">
        <h2 id="compare-images">Images of {set}</h2>
        <div class="row compare-filters">
          <SelectField
            label="Entry"
            value={String(choice.target)}
            choices={names.map((name, k) => [String(k), name])}
            onValue={(target) => change({ target: Number(target) })}
          />
          <SelectField
            label="Number"
            value={choice.by}
            choices={Object.entries(BY)}
            onValue={(by) => change({ by: by as ImageMetric })}
          />
          <SelectField
            label="Order"
            value={choice.order}
            choices={Object.entries(ORDER)}
            onValue={(order) => change({ order: order as ImageOrder })}
          />
          <label class="field">
            <span>Part of the name</span>
            <input
              type="search"
              value={choice.image}
              onChange={(event) => change({ image: event.currentTarget.value.trim() })}
            />
          </label>
          <div class="row" role="group" aria-label="Layers">
            {Object.entries(LAYERS).map(([layer, title]) => (
              <label key={layer} class="check">
                <input
                  type="checkbox"
                  checked={layers.has(layer as Layer)}
                  onChange={() => toggle(layer as Layer)}
                />
                {title}
              </label>
            ))}
          </div>
        </div>
        {data && choice.target !== comparison.baseline && (
          <p class="small" role="status">
            By {BY[choice.by]}, {names[choice.target]} is better than {names[comparison.baseline]} on{" "}
            <strong>{data.gained}</strong> of {data.total} images, worse on <strong>{data.lost}</strong>,
            equal on <strong>{data.equal}</strong>.
          </p>
        )}
      </div>
      {error !== undefined && <Failure error={error} retry={reload} />}
      {data === undefined && loading && <Waiting for="the images" />}
      {data && (
        <>
          <Legend marks={marks} layers={layers} heat={false} />
          {data.matching === 0 && <p class="muted">No image has “{choice.image}” in its name.</p>}
          {data.images.map((image) => (
            <Row
              key={image.id}
              image={image}
              comparison={comparison}
              set={set}
              names={names}
              choice={choice}
              layers={layers}
            />
          ))}
          <Pager
            offset={data.offset}
            size={PAGE}
            total={data.matching}
            word="image"
            onPage={(offset) => onChoice({ ...choice, offset })}
          />
        </>
      )}
    </section>
  );
}

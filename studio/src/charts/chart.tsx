/**
 * @file One chart: heading, curves, what they say at the pointer in words, log axis, export, and the same numbers as a
 * table. The place pointed at is a slider to the keyboard and to screen readers.
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { fileName } from "../format.js";
import { theme, token, useTheme } from "../theme.js";
import { csv, downloadBlob, downloadText } from "../ui/download.js";
import { Menu } from "../ui/menu.js";
import { lastKnown, lineWords, placeWords, valueWords, type ChartData, type Line } from "./chart-data.js";
import { chartRows, chartScene } from "./chart-scene.js";
import { ChartTable } from "./chart-table.js";
import type { ChartLink } from "./link.js";
import { makePlot, structureOf, type ChartMark, type Plot } from "./plot.js";
import { scenePng, sceneSvg } from "./scene.js";
import type { ChartSpec } from "./specs.js";
import "./charts.css";

/** Properties of {@link Chart}. */
export interface ChartProps {
  readonly spec: ChartSpec;
  readonly data: ChartData;
  readonly smoothed: boolean;
  readonly log: boolean;
  readonly onLog: (log: boolean) => void;
  /** Over the whole width of the page. */
  readonly wide: boolean;
  readonly onWide: (wide: boolean) => void;
  readonly link: ChartLink;
  readonly marks: readonly ChartMark[];
  /** What files are named after. */
  readonly name: string;
}

const HEIGHT = 220;

/** The sign of a curve in its legend. */
function Swatch({ color, dash }: Pick<Line, "color" | "dash">) {
  return (
    <svg width="22" height="10" viewBox="0 0 22 10" aria-hidden="true">
      <path
        d="M1 5H21"
        stroke={`var(${color})`}
        stroke-width="2.5"
        stroke-dasharray={
          dash.length === 0 ? undefined : dash.map((length) => Math.max(2, length * 0.7)).join(" ")
        }
      />
    </svg>
  );
}

/** A chart among others that zoom and point together. */
export function Chart({ spec, data, smoothed, log, onLog, wide, onWide, link, marks, name }: ChartProps) {
  const root = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | undefined>(undefined);
  const slider = useRef<HTMLDivElement>(null);
  const placeText = useRef<HTMLSpanElement>(null);
  const valueTexts = useRef<(HTMLSpanElement | null)[]>([]);
  const pointed = useRef<number | null>(null);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [table, setTable] = useState(false);
  const shownTheme = useTheme();

  const shown = useMemo(
    (): ChartData => ({ ...data, lines: data.lines.filter(({ label }) => !hidden.has(label)) }),
    [data, hidden],
  );
  const newest = useRef({ data, shown, marks });
  newest.current = { data, shown, marks };

  /** Writes what the curves say at an index; the last row where nothing is pointed at. */
  const tell = (index: number | null) => {
    pointed.current = index;
    const { data: now } = newest.current;
    const at = index ?? now.x.length - 1;
    if (placeText.current)
      placeText.current.textContent = now.x.length === 0 ? "" : placeWords(now.x[at]!, now.axis);
    for (const [i, line] of now.lines.entries()) {
      const text = valueTexts.current[i];
      const known = index === null ? lastKnown(line, at) : at;
      if (text) text.textContent = valueWords(line, known, spec.unit, { smoothed });
    }
  };

  const structure = structureOf(shown);
  useEffect(() => {
    const element = root.current!;
    const made = makePlot(element, newest.current.shown, {
      spec,
      log,
      raw: smoothed && spec.stacked !== true,
      link,
      height: HEIGHT,
      marks: () => newest.current.marks,
      onPoint: tell,
    });
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.resize(element.clientWidth, element.clientHeight || HEIGHT),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [structure, log, smoothed, link, shownTheme, spec.id]);
  useEffect(() => plot.current?.feed(shown), [shown]);
  useEffect(() => plot.current?.redraw(), [marks]);
  useEffect(() => tell(pointed.current));

  const scene = () =>
    chartScene({
      spec,
      data: shown,
      stretch: link.stretch,
      log,
      raw: smoothed && spec.stacked !== true,
      colors: {
        background: theme() === "dark" ? token("--card") : "#ffffff",
        ink: token("--ink"),
        muted: token("--muted"),
        grid: token("--line"),
        series: token,
      },
      ...(wide && { width: 1080 }),
    });
  const file = fileName(name, spec.id);
  const words = useMemo(
    () => data.lines.map((line) => lineWords(line, data, spec.unit)).join(" "),
    [data, spec.unit],
  );

  const move = (event: KeyboardEvent) => {
    const last = data.x.length - 1;
    const now = pointed.current ?? last;
    const by = event.shiftKey ? 10 : 1;
    const places: Readonly<Record<string, number>> = {
      ArrowLeft: now - by,
      ArrowRight: now + by,
      PageDown: now - 50,
      PageUp: now + 50,
      Home: 0,
      End: last,
    };
    const to = places[event.key];
    if (event.key === "Escape") {
      link.point(null);
      link.zoom(null);
    } else if (event.key === "+" || event.key === "-") {
      const [from, until] = link.stretch ?? [data.x[0] ?? 0, data.x[last] ?? 1];
      const center = data.x[now] ?? from;
      const factor = event.key === "+" ? 0.5 : 2;
      const next = [center - (center - from) * factor, center + (until - center) * factor] as const;
      link.zoom(next[0] <= (data.x[0] ?? 0) && next[1] >= (data.x[last] ?? 1) ? null : next);
    } else if (to === undefined || last < 0) return;
    else {
      const index = Math.max(0, Math.min(last, to));
      link.point(index);
      const words = data.lines.map(
        (line) => `${line.label} ${valueWords(line, index, spec.unit, { smoothed })}`,
      );
      slider.current!.ariaValueNow = String(index);
      slider.current!.ariaValueText = `${placeWords(data.x[index]!, data.axis)}: ${words.join(", ")}`;
    }
    event.preventDefault();
  };

  return (
    <figure class="card chart" aria-label={spec.title}>
      <div class="chart-head">
        <h3>{spec.title}</h3>
        <span class="chart-place small muted" ref={placeText} />
        <div class="chart-tools">
          {spec.range === undefined && spec.stacked !== true && (
            <button
              type="button"
              class="button button-plain button-s"
              aria-pressed={log}
              title="Logarithmic axis"
              aria-label={`log axis of ${spec.title}`}
              onClick={() => onLog(!log)}
            >
              log
            </button>
          )}
          <button
            type="button"
            class="button button-plain button-s chart-widen"
            aria-pressed={wide}
            title="Whole width"
            aria-label={`Show ${spec.title} over the whole width`}
            onClick={() => onWide(!wide)}
          >
            <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
              <path
                d="M4.5 4 1.5 7l3 3M9.5 4l3 3-3 3M2 7h10"
                fill="none"
                stroke="currentColor"
                stroke-width="1.4"
                stroke-linecap="round"
                stroke-linejoin="round"
              />
            </svg>
          </button>
          <Menu label={`Export ${spec.title}`}>
            <button
              type="button"
              onClick={() => void scenePng(scene()).then((png) => downloadBlob(`${file}.png`, png))}
            >
              PNG picture
            </button>
            <button
              type="button"
              onClick={() => downloadText(`${file}.svg`, sceneSvg(scene()), "image/svg+xml")}
            >
              SVG drawing
            </button>
            <button
              type="button"
              onClick={() =>
                downloadText(`${file}.csv`, csv(chartRows(shown, link.stretch, smoothed)), "text/csv")
              }
            >
              CSV numbers
            </button>
            <button type="button" onClick={() => setTable(!table)}>
              {table ? "Hide the table" : "Show as a table"}
            </button>
          </Menu>
        </div>
      </div>
      <p class="chart-note small muted">{spec.note}</p>
      <div
        class="chart-canvas"
        ref={slider}
        role="slider"
        tabIndex={0}
        aria-label={`Place on ${spec.title}`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, data.x.length - 1)}
        aria-valuenow={Math.max(0, data.x.length - 1)}
        aria-valuetext={words}
        onKeyDown={move}
      >
        <div class="chart-root" ref={root} />
      </div>
      <ul class="legend">
        {data.lines.map((line, i) => (
          <li key={line.label}>
            <button
              type="button"
              class="legend-name"
              aria-pressed={!hidden.has(line.label)}
              title={hidden.has(line.label) ? "Show this curve" : "Hide this curve"}
              // The areas of a stack stand on each other.
              disabled={data.lines.length === 1 || spec.stacked === true}
              onClick={() => {
                const next = new Set(hidden);
                if (!next.delete(line.label)) next.add(line.label);
                setHidden(next);
              }}
            >
              <Swatch color={line.color} dash={line.dash} />
              <span class="legend-label">{line.label}</span>
            </button>
            <span
              class="legend-value"
              ref={(element) => {
                valueTexts.current[i] = element;
              }}
            />
          </li>
        ))}
      </ul>
      {table && <ChartTable spec={spec} data={shown} stretch={link.stretch} />}
    </figure>
  );
}

/**
 * @file The place of a chart on the page. Its curves are worked out and drawn only near the window: a page of twenty
 * charts opens as fast as one of six, and a live run or the smoothing's slider costs what can be seen.
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { chartData, type ChartData, type ChartRun, type ChartStyle, type shareAxis } from "./chart-data.js";
import { Chart } from "./chart.js";
import type { ChartLink } from "./link.js";
import type { ChartMark } from "./plot.js";
import type { ChartSpec } from "./specs.js";

/** What all charts of a view are made of; a new object where anything of it has changed. */
export interface ChartSource extends Omit<ChartStyle, "log"> {
  readonly runs: readonly ChartRun[];
  readonly shared: ReturnType<typeof shareAxis>;
}

/** Properties of {@link ChartSlot}. */
export interface ChartSlotProps {
  readonly spec: ChartSpec;
  readonly source: ChartSource;
  readonly link: ChartLink;
  /** Stretches of steps to shade, by metric column. */
  readonly marks: readonly (ChartMark & { readonly keys: readonly string[] })[];
  /** What files are named after. */
  readonly name: string;
}

/** A chart once it is near; until then its room and its name. */
export function ChartSlot({ spec, source, link, marks, name }: ChartSlotProps) {
  const slot = useRef<HTMLDivElement>(null);
  const [near, setNear] = useState(false);
  const [log, setLog] = useState(false);
  const [wide, setWide] = useState(false);
  const kept = useRef<{ source: ChartSource; spec: ChartSpec; log: boolean; data: ChartData } | undefined>(
    undefined,
  );
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => setNear(entries.at(-1)?.isIntersecting === true), {
      rootMargin: "200px",
    });
    observer.observe(slot.current!);
    return () => observer.disconnect();
  }, []);
  const last = kept.current;
  if (near && (last?.source !== source || last.spec !== spec || last.log !== log))
    kept.current = {
      source,
      spec,
      log,
      data: chartData(spec, source.runs, source.shared, { ...source, log }),
    };
  const own = useMemo(
    () =>
      source.axis === "step"
        ? marks.filter(({ keys }) => spec.curves.some(({ key }) => keys.includes(key)))
        : [],
    [marks, spec, source.axis],
  );
  return (
    <div class={`chart-slot${wide ? " chart-wide" : ""}`} ref={slot} data-chart={spec.id}>
      {kept.current ? (
        <Chart
          spec={kept.current.spec}
          data={kept.current.data}
          smoothed={source.smoothing > 0}
          log={log}
          onLog={setLog}
          wide={wide}
          onWide={setWide}
          link={link}
          marks={own}
          name={name}
        />
      ) : (
        <div class="card chart">
          <h3 class="muted">{spec.title}</h3>
        </div>
      )}
    </div>
  );
}

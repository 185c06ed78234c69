/**
 * @file What all charts of a view share: the stretch of the axis that is shown, and the place that is pointed at. A
 * pointer's place is carried by uPlot's own sync; the keyboard's by this.
 */

/** A stretch of the axis; null = all of it. */
export type Stretch = readonly [from: number, to: number] | null;

/** A chart that takes part. */
export interface Linked {
  showStretch(stretch: Stretch): void;
  pointAt(index: number | null): void;
}

/** Charts that zoom and point together. */
export interface ChartLink {
  /** Name for uPlot.sync. */
  readonly key: string;
  readonly stretch: Stretch;
  join(chart: Linked): () => void;
  zoom(stretch: Stretch): void;
  point(index: number | null): void;
  /** Hears each zoom. */
  onZoom(listener: (stretch: Stretch) => void): () => void;
}

let made = 0;

/** A link for one view. */
export function chartLink(): ChartLink {
  const charts = new Set<Linked>();
  const listeners = new Set<(stretch: Stretch) => void>();
  let stretch: Stretch = null;
  return {
    key: `charts-${++made}`,
    get stretch() {
      return stretch;
    },
    join(chart) {
      charts.add(chart);
      return () => charts.delete(chart);
    },
    zoom(next) {
      stretch = next;
      for (const chart of charts) chart.showStretch(next);
      for (const listener of listeners) listener(next);
    },
    point(index) {
      for (const chart of charts) chart.pointAt(index);
    },
    onZoom(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** @file Counters, gauges and histograms in Prometheus' text format (version 0.0.4). */

type Labels = Readonly<Record<string, string>>;

/** Something that only grows. */
export interface Counter {
  add(labels?: Labels, by?: number): void;
  value(labels?: Labels): number;
}

/** Counts of values by upper bound. */
export interface Histogram {
  observe(value: number, labels?: Labels): void;
  /** Sum and number of all values, whatever their labels. */
  totals(): { readonly sum: number; readonly count: number };
}

/** A set of metrics. */
export interface Registry {
  counter(name: string, help: string): Counter;
  histogram(name: string, help: string, bounds: readonly number[]): Histogram;
  /** Read when asked for. */
  gauge(name: string, help: string, read: () => number | readonly (readonly [Labels, number])[]): void;
  /** The text of /metrics. */
  text(): string;
}

/** Media type of {@link Registry.text}. */
export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Seconds, from a tenth of a millisecond to two minutes. */
export const SECONDS = [
  1e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120,
];

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([key, value]) => `${key}="${value.replace(/[\\"\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`))}"`,
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** No metrics yet. */
export function createRegistry(): Registry {
  const blocks: (() => string[])[] = [];
  const block = (name: string, help: string, type: string, lines: () => string[]) =>
    blocks.push(() => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines()]);
  return {
    counter(name, help) {
      const values = new Map<string, number>();
      block(name, help, "counter", () => [...values].map(([labels, value]) => `${name}${labels} ${value}`));
      return {
        add(labels = {}, by = 1) {
          const key = labelText(labels);
          values.set(key, (values.get(key) ?? 0) + by);
        },
        value: (labels = {}) => values.get(labelText(labels)) ?? 0,
      };
    },
    histogram(name, help, bounds) {
      const series = new Map<string, { labels: Labels; counts: number[]; sum: number; count: number }>();
      block(name, help, "histogram", () =>
        [...series.values()].flatMap(({ labels, counts, sum, count }) => {
          let below = 0;
          const buckets = bounds.map((bound, i) => {
            below += counts[i]!;
            return `${name}_bucket${labelText({ ...labels, le: String(bound) })} ${below}`;
          });
          const all = `${name}_bucket${labelText({ ...labels, le: "+Inf" })} ${count}`;
          return [
            ...buckets,
            all,
            `${name}_sum${labelText(labels)} ${sum}`,
            `${name}_count${labelText(labels)} ${count}`,
          ];
        }),
      );
      return {
        observe(value, labels = {}) {
          const key = labelText(labels);
          const one = series.get(key) ?? { labels, counts: bounds.map(() => 0), sum: 0, count: 0 };
          series.set(key, one);
          const at = bounds.findIndex((bound) => value <= bound);
          if (at >= 0) one.counts[at]!++;
          one.sum += value;
          one.count++;
        },
        totals() {
          let sum = 0;
          let count = 0;
          for (const one of series.values()) {
            sum += one.sum;
            count += one.count;
          }
          return { sum, count };
        },
      };
    },
    gauge(name, help, read) {
      block(name, help, "gauge", () => {
        const value = read();
        const rows = typeof value === "number" ? ([[{}, value]] as const) : value;
        return rows.map(([labels, number]) => `${name}${labelText(labels)} ${number}`);
      });
    },
    text: () => blocks.flatMap((lines) => lines()).join("\n") + "\n",
  };
}

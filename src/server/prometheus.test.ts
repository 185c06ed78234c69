import { expect, it } from "vitest";
import { createRegistry } from "./prometheus.js";

it("writes Prometheus' text format", () => {
  const registry = createRegistry();
  const requests = registry.counter("requests_total", "Requests.");
  requests.add({ path: 'a"b\\c\n' });
  requests.add({ path: "d" }, 3);
  requests.add({ path: "d" });
  const seconds = registry.histogram("seconds", "Seconds.", [0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 7]) seconds.observe(value, { path: "d" });
  registry.gauge("waiting", "Waiting.", () => 2);
  registry.gauge("workers", "Workers.", () => [[{ state: "busy" }, 1]]);
  expect(registry.text()).toBe(
    [
      "# HELP requests_total Requests.",
      "# TYPE requests_total counter",
      String.raw`requests_total{path="a\"b\\c\n"} 1`,
      'requests_total{path="d"} 4',
      "# HELP seconds Seconds.",
      "# TYPE seconds histogram",
      'seconds_bucket{path="d",le="0.1"} 2',
      'seconds_bucket{path="d",le="1"} 3',
      'seconds_bucket{path="d",le="+Inf"} 4',
      'seconds_sum{path="d"} 7.65',
      'seconds_count{path="d"} 4',
      "# HELP waiting Waiting.",
      "# TYPE waiting gauge",
      "waiting 2",
      "# HELP workers Workers.",
      "# TYPE workers gauge",
      'workers{state="busy"} 1',
      "",
    ].join("\n"),
  );
  expect(seconds.totals()).toEqual({ sum: 7.65, count: 4 });
  expect(requests.value({ path: "d" })).toBe(4);
});

/** @file A curve the size of a word. */

/** Points of the polyline in a box of 100 x 28; empty for fewer than two. */
export function sparkPath(values: readonly (number | null)[]): string {
  const known = values.filter((value): value is number => value !== null);
  if (known.length < 2) return "";
  const low = Math.min(...known);
  const span = Math.max(...known) - low || 1;
  let pen = "M";
  return values
    .map((value, i) => {
      if (value === null) {
        pen = "M";
        return "";
      }
      const point = `${pen}${((100 * i) / (values.length - 1)).toFixed(1)} ${(26 - (24 * (value - low)) / span).toFixed(1)}`;
      pen = "L";
      return point;
    })
    .join("");
}

/** @param props.label What it shows, in words with its ends. */
export function Sparkline({
  values,
  label,
}: {
  readonly values: readonly (number | null)[];
  readonly label: string;
}) {
  const path = sparkPath(values);
  return (
    <svg class="sparkline" viewBox="0 0 100 28" preserveAspectRatio="none" role="img" aria-label={label}>
      <path
        d={path}
        fill="none"
        stroke="var(--accent)"
        stroke-width="1.5"
        stroke-linejoin="round"
        vector-effect="non-scaling-stroke"
      />
    </svg>
  );
}

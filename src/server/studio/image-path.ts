/** @file Where a picture of a run is to be had. */

/** Path by which the page asks for a picture of a run. */
export function imagePath(run: string, set: string, sample: string): string {
  return `/api/runs/${encodeURIComponent(run)}/image?${new URLSearchParams({ set, sample }).toString()}`;
}

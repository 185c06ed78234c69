/** @file "Did you mean ...?" for mistyped keys, names and choices. */

/** Edit distance (Levenshtein, with neighbouring letters swapped as one edit). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, beforeLast[j - 2]! + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/** The choice nearest to what was written, where one is near enough to be a slip of the fingers. */
export function suggest(written: string, choices: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_\s]/g, "");
  const limit = Math.max(2, Math.floor(written.length / 3));
  const near = choices
    .map((choice) => ({ choice, distance: editDistance(plain(written), plain(choice)) }))
    .filter(({ choice, distance }) => distance <= limit && distance < plain(choice).length)
    .sort((a, b) => a.distance - b.distance);
  // Two that are equally near (k1, k2 for "k4") are a guess, not advice.
  return near.length > 1 && near[0]!.distance === near[1]!.distance ? undefined : near[0]?.choice;
}

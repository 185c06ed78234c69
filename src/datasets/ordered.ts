/** @file Waiting work side by side with results in order: picture headers are read several at a time. */

/**
 * Maps a stream with up to `width` calls in flight; results come in the stream's order, and so do errors: those of
 * earlier items before those of later ones.
 */
export async function* mapOrdered<T, U>(
  source: AsyncIterable<T> | Iterable<T>,
  map: (item: T) => Promise<U>,
  width = 8,
): AsyncGenerator<U> {
  const queue: Promise<U>[] = [];
  let failure: { readonly error: unknown } | undefined;
  try {
    for await (const item of source) {
      const result = map(item);
      // Looked at when its turn comes; until then a rejection is not unhandled.
      result.catch(() => undefined);
      queue.push(result);
      if (queue.length >= width) yield await queue.shift()!;
    }
  } catch (error) {
    failure = { error };
  }
  while (queue.length > 0) yield await queue.shift()!;
  if (failure !== undefined) throw failure.error;
}

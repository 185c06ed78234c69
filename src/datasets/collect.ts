/** @file A stream as a list. */

/** Everything an async iterable gives, in order; at most `limit` items, and no more is read than that. */
export async function collect<T>(stream: AsyncIterable<T>, limit = Infinity): Promise<T[]> {
  const items: T[] = [];
  if (limit <= 0) return items;
  for await (const item of stream) {
    items.push(item);
    if (items.length >= limit) break;
  }
  return items;
}

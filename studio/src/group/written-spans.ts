/** @file Where a response's boxes stand in its text, where the server says so. */
import type { Corners } from "../../../src/server/studio/api.js";
import { markId, type MarkedResponse } from "./response-marks.js";
import type { BoxSpan } from "./text-pieces.js";

/** A box with its place in the text, [start, end) in UTF-16 units; without one it is linked to nothing. */
export interface PlacedBox {
  readonly start?: number;
  readonly end?: number;
}

/** Spans of answers and look regions under the ids of their marks. */
export function spansOf(
  response: { readonly regions: readonly object[]; readonly answer: readonly object[] } | undefined,
): BoxSpan[] {
  if (response === undefined) return [];
  const spans = (boxes: readonly PlacedBox[], id: (index: number) => string) =>
    boxes.flatMap(({ start, end }, index) =>
      start === undefined || end === undefined ? [] : [{ id: id(index), start, end }],
    );
  return [...spans(response.regions, markId.look), ...spans(response.answer, markId.answer)];
}

/** A response as the wire has it: look regions come bare or with their place in the text. */
export interface WireResponse extends Omit<MarkedResponse, "regions" | "matches"> {
  readonly regions: readonly (Corners | (PlacedBox & { readonly box: Corners }))[];
  readonly matches?: readonly number[];
}

/** The same with every region as an object, ready to be drawn. */
export function drawn<R extends WireResponse>(
  response: R,
): R & { readonly regions: MarkedResponse["regions"]; readonly matches: readonly number[] } {
  return {
    ...response,
    regions: response.regions.map((region) => ("box" in region ? region : { box: region })),
    matches: response.matches ?? [],
  };
}

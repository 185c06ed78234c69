/** @file Where a response's boxes stand in its text, so that text and picture can point at each other. */
import type { Corners } from "../../../src/server/studio/api.js";
import { parseResponse } from "../../../src/response/parser.js";
import { markId, type MarkedResponse } from "./response-marks.js";
import type { BoxSpan } from "./text-pieces.js";

/** A box with its place in the text, [start, end) in UTF-16 units; without one it is linked to nothing. */
export interface PlacedBox {
  readonly start?: number;
  readonly end?: number;
}

/** Wider than any picture: nothing that was written is clipped or dropped. */
const EVERYTHING = { width: 1e7, height: 1e7 };

/**
 * Spans of answers and look regions under the ids of their marks. Where the server does not tell them they are found in
 * the text by the parser that found the boxes, and only taken where it reads as many: some may have been dropped.
 */
export function spansOf(
  response:
    | { readonly text: string; readonly regions: readonly object[]; readonly answer: readonly object[] }
    | undefined,
): BoxSpan[] {
  if (response === undefined) return [];
  const { text, regions, answer } = response;
  const told = ([...regions, ...answer] as readonly PlacedBox[]).some(({ start }) => start !== undefined);
  const read = told ? undefined : parseResponse(text, EVERYTHING);
  const placed = (boxes: readonly PlacedBox[], found: readonly PlacedBox[] = []) =>
    told ? boxes : found.length === boxes.length ? found : [];
  const spans = (boxes: readonly PlacedBox[], id: (index: number) => string) =>
    boxes.flatMap(({ start, end }, index) =>
      start === undefined || end === undefined ? [] : [{ id: id(index), start, end }],
    );
  return [
    ...spans(placed(regions, read?.look?.boxes), markId.look),
    ...spans(placed(answer, read?.answer?.boxes), markId.answer),
  ];
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

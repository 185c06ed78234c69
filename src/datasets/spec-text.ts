/**
 * @file Dataset specs as one word on the command line: `scenes:plaza?count=100&seed=7&people=1-8`,
 * `crowdhuman:annotation_val.odgt?images=Images&limit=10`, or just a path whose ending tells the format.
 */
import { InputError } from "../base/errors.js";

type Kind = "number" | "text" | "flag" | "range" | "size" | "list" | "frames" | "split";

const FILES: Readonly<Record<string, Kind>> = {
  name: "text",
  images: "text",
  onError: "text",
  checkImages: "text",
  label: "text",
  limit: "number",
  split: "split",
  minHeight: "number",
  minVisible: "number",
  minObjects: "number",
  labels: "list",
};

const CATEGORIES: Readonly<Record<string, Kind>> = { categories: "list", perCategory: "flag" };

const CHAT: Readonly<Record<string, Kind>> = {
  ...FILES,
  frame: "text",
  minPixels: "number",
  maxPixels: "number",
  boxes: "text",
  sizes: "text",
};

const KEYS: Readonly<Record<string, Readonly<Record<string, Kind>>>> = {
  scenes: {
    name: "text",
    look: "text",
    seed: "number",
    count: "number",
    start: "number",
    size: "size",
    width: "number",
    height: "number",
    dense: "flag",
    people: "range",
    crowding: "number",
    personHeight: "range",
    distractors: "number",
    groups: "number",
    minVisibility: "number",
  },
  coco: { ...FILES, boxes: "text", sizes: "text", visibilityField: "text" },
  crowdhuman: { ...FILES, box: "text", boxes: "text", sizes: "text" },
  citypersons: { ...FILES, ...CATEGORIES, boxes: "text", sizes: "text" },
  widerpedestrian: {
    ...FILES,
    ...CATEGORIES,
    year: "number",
    ignoreFile: "text",
    list: "text",
    boxes: "text",
    sizes: "text",
  },
  uavdt: {
    ...FILES,
    ...CATEGORIES,
    truth: "text",
    sequences: "list",
    every: "number",
    boxes: "text",
    sizes: "text",
  },
  visdrone: { ...FILES, ...CATEGORIES, boxes: "text", sizes: "text" },
  mot: {
    ...FILES,
    seqinfo: "text",
    extraIgnore: "text",
    every: "number",
    frames: "frames",
    firstFile: "number",
    fileStep: "number",
    clip: "flag",
    minInside: "number",
    origin: "number",
    estimateVisibility: "flag",
    boxes: "text",
    sizes: "text",
  },
  jsonl: { ...FILES, boxes: "text", sizes: "text" },
  trl: CHAT,
  "ms-swift": CHAT,
  "vlm-r1": CHAT,
};

/** Keys that the object form keeps under `where`. */
const WHERE = new Set(["minHeight", "minVisible", "minObjects", "labels"]);

/** Ending of a bare path and its format; the first that fits. */
const ENDINGS: readonly (readonly [ending: string, format: string])[] = [
  [".jsonl", "jsonl"],
  [".odgt", "crowdhuman"],
  [".mat", "citypersons"],
  ["_gt_whole.txt", "uavdt"],
  ["_bbox.txt", "widerpedestrian"],
  [".json", "coco"],
  [".txt", "mot"],
];

/** Reads the short form into the object form, which the schema then checks. @throws InputError that lists the choices. */
export function parseSpecText(text: string): Record<string, unknown> {
  const question = text.indexOf("?");
  const head = question < 0 ? text : text.slice(0, question);
  const [format, rest] = splitHead(head, text);
  const spec: Record<string, unknown> = { format };
  if (format === "scenes") {
    if (rest !== "") spec["look"] = rest;
  } else {
    if (rest === "") throw new InputError(`data "${text}": names no file`, { hint: `Write ${format}:PATH.` });
    spec["annotations"] = rest;
  }
  const keys = KEYS[format]!;
  const where: Record<string, unknown> = {};
  for (const [key, value] of question < 0 ? [] : pairs(text.slice(question + 1))) {
    const kind = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (kind === undefined) {
      throw new InputError(`data "${text}": unknown key "${key}"`, {
        hint: `Choose of ${Object.keys(keys).join(", ")}.`,
      });
    }
    const read = readValue(kind, key, value, text);
    if (key === "size") [spec["width"], spec["height"]] = read as [number, number];
    else if (WHERE.has(key)) where[key] = read;
    else spec[key] = read;
  }
  if (Object.keys(where).length > 0) spec["where"] = where;
  return spec;
}

function splitHead(head: string, text: string): [format: string, rest: string] {
  const match = /^([a-z][a-z0-9-]*):(.*)$/s.exec(head);
  if (match !== null && Object.hasOwn(KEYS, match[1]!)) return [match[1]!, match[2]!];
  for (const [ending, format] of ENDINGS) if (head.toLowerCase().endsWith(ending)) return [format, head];
  if (head === "scenes") return ["scenes", ""];
  throw new InputError(`data "${text}": neither a known format nor a file of a known ending`, {
    hint:
      `Write FORMAT:REST with one of ${Object.keys(KEYS).join(", ")} (scenes:plaza?count=100, coco:train.json, ` +
      "mot:SEQUENCE), or a path that ends in .json, .jsonl, .odgt, .mat, .txt, .yaml or .yml.",
  });
}

function pairs(query: string): [key: string, value: string | undefined][] {
  return query
    .split("&")
    .filter((part) => part !== "")
    .map((part) => {
      const at = part.indexOf("=");
      return at < 0 ? [part, undefined] : [part.slice(0, at), part.slice(at + 1)];
    });
}

function readValue(kind: Kind, key: string, value: string | undefined, text: string): unknown {
  const wrong = (wanted: string) =>
    new InputError(
      `data "${text}": ${key} must be ${wanted}, got ${value === undefined ? "nothing" : `"${value}"`}`,
    );
  if (kind === "flag") {
    if (value === undefined || value === "true" || value === "1") return true;
    if (value === "false" || value === "0") return false;
    throw wrong("true or false");
  }
  if (value === undefined || value === "") throw wrong("given a value");
  const number = (part: string, wanted: string): number => {
    const n = Number(part);
    if (part.trim() === "" || !Number.isFinite(n)) throw wrong(wanted);
    return n;
  };
  if (kind === "number") return number(value, "a number");
  if (kind === "text") return value;
  if (kind === "list") return value.split(",");
  if (kind === "range") {
    const wanted = "a number or a range like 1-8";
    const [min, max, ...more] = value.split("-");
    if (more.length > 0) throw wrong(wanted);
    return { min: number(min!, wanted), max: number(max ?? min!, wanted) };
  }
  if (kind === "size") {
    const wanted = "a size like 112x112";
    const [width, height, ...more] = value.split("x");
    if (height === undefined || more.length > 0) throw wrong(wanted);
    return [number(width!, wanted), number(height, wanted)];
  }
  if (kind === "frames") {
    const match = /^(\d*)-(\d*)$/.exec(value);
    if (match === null || value === "-") throw wrong("a range of frames like 1-530, 591- or -530");
    return {
      ...(match[1] === "" ? {} : { from: Number(match[1]) }),
      ...(match[2] === "" ? {} : { to: Number(match[2]) }),
    };
  }
  const match = /^(train|val)(?:@([\d.]+))?$/.exec(value);
  if (match === null) throw wrong("train or val, with the share of val if you like: train@0.2");
  return {
    part: match[1],
    ...(match[2] === undefined ? {} : { val: number(match[2], "a share like train@0.2") }),
  };
}

/** @file Made sets for `bench metrics`, as the official tools read them: crowds with duplicates, false alarms and areas to ignore. */
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { createRng, type Rng } from "../src/base/rng.js";

type Xywh = [x: number, y: number, width: number, height: number];

interface Found {
  readonly box: Xywh;
  readonly score: number;
}

const round = (value: number, digits = 2) => Number(value.toFixed(digits));

/** People of 10 to 400 pixels, half of them beside another. */
function crowd(rng: Rng, count: number, width: number, height: number): Xywh[] {
  const boxes: Xywh[] = [];
  for (let i = 0; i < count; i++) {
    const h = 10 * 2 ** rng.uniform(0, 5.3);
    const w = h * rng.uniform(0.3, 0.6);
    const beside = boxes.length > 0 && rng.next() < 0.5 ? rng.pick(boxes) : undefined;
    const x = beside ? Math.max(0, beside[0] + 0.5 * beside[2] * rng.normal()) : rng.uniform(0, width - w);
    const y = beside
      ? Math.max(0, beside[1] + 0.15 * beside[3] * rng.normal())
      : rng.uniform(0, Math.max(1, height - h));
    boxes.push([round(x), round(y), round(w), round(h)]);
  }
  return boxes;
}

/** Four in five are found, one in ten of them twice; the rest up to `count` are false alarms. */
function detect(rng: Rng, truths: readonly Xywh[], count: number, width: number, height: number): Found[] {
  const found: Found[] = [];
  const score = (mean: number) => round(Math.min(0.999, Math.max(0.01, mean + 0.2 * rng.normal())), 4);
  for (const [x, y, w, h] of truths) {
    if (rng.next() >= 0.8) continue;
    for (let n = rng.next() < 0.1 ? 2 : 1; n > 0 && found.length < count; n--) {
      const s = rng.pick([0.02, 0.05, 0.1]);
      const moved = [x + s * w * rng.normal(), y + s * h * rng.normal()] as const;
      const sized = [w * (1 + s * rng.normal()), h * (1 + s * rng.normal())] as const;
      found.push({
        box: [...moved, ...sized].map((v, i) => round(i < 2 ? v : Math.max(2, v))) as Xywh,
        score: score(0.65),
      });
    }
  }
  while (found.length < count) found.push({ box: crowd(rng, 1, width, height)[0]!, score: score(0.25) });
  return found;
}

/** Writes pieces of text one after the other, as fast as the disk takes them. */
async function write(path: string, pieces: Iterable<string>): Promise<void> {
  const out = createWriteStream(path);
  for (const piece of pieces) if (!out.write(piece)) await once(out, "drain");
  out.end();
  await once(out, "finish");
}

function* list(items: Iterable<unknown>): Generator<string> {
  let first = true;
  for (const item of items) {
    yield (first ? "" : ",") + JSON.stringify(item);
    first = false;
  }
}

/** COCO's ground truth and detections: so many images, truths (one in twenty a crowd region) and detections each. */
export async function writeCocoSet(
  paths: { readonly gt: string; readonly dt: string },
  shape: { readonly images: number; readonly truths: number; readonly detections: number },
): Promise<void> {
  const [width, height] = [1280, 960];
  const rng = createRng(99);
  const images = Array.from({ length: shape.images }, (_, i) => ({
    id: i + 1,
    width,
    height,
    file_name: `${i + 1}.jpg`,
  }));
  const annotations: unknown[] = [];
  const detections: unknown[] = [];
  for (const { id } of images) {
    const truths = crowd(rng, shape.truths, width, height);
    for (const bbox of truths) {
      const iscrowd = rng.next() < 0.05 ? 1 : 0;
      const area = round(bbox[2] * bbox[3], 4);
      annotations.push({ id: annotations.length + 1, image_id: id, category_id: 1, bbox, area, iscrowd });
    }
    for (const { box: bbox, score } of detect(rng, truths, shape.detections, width, height))
      detections.push({ image_id: id, category_id: 1, bbox, score });
  }
  await write(paths.gt, [
    `{"info":{},"licenses":[],"categories":[{"id":1,"name":"person"}],"images":${JSON.stringify(images)},"annotations":[`,
    ...list(annotations),
    "]}",
  ]);
  await write(paths.dt, ["[", ...list(detections), "]"]);
}

/** CrowdHuman's annotations and detection lines; one truth in eight is to be ignored. */
export async function writeCrowdHumanSet(
  paths: { readonly gt: string; readonly dt: string },
  shape: { readonly images: number; readonly truths: number; readonly detections: number },
): Promise<void> {
  const [width, height] = [1024, 768];
  const rng = createRng(7);
  const gt: string[] = [];
  const dt: string[] = [];
  for (let i = 0; i < shape.images; i++) {
    const boxes = crowd(rng, shape.truths, width, height).map((box) => box.map(Math.round) as Xywh);
    const ignore = boxes.map(() => rng.next() < 0.125);
    const size = { ID: `${i},made`, width, height };
    const person = (fbox: Xywh, k: number) => ({
      tag: ignore[k] === true ? "mask" : "person",
      fbox,
      vbox: fbox,
      hbox: fbox,
      head_attr: {},
      extra: ignore[k] === true ? { ignore: 1 } : { box_id: k },
    });
    gt.push(JSON.stringify({ ...size, gtboxes: boxes.map(person) }) + "\n");
    const dtboxes = detect(rng, boxes, shape.detections, width, height).map(({ box, score }) => ({
      fbox: box,
      score,
      tag: 1,
    }));
    const gtboxes = boxes.map((fbox, k) => ({ fbox, tag: ignore[k] === true ? -1 : 1 }));
    dt.push(JSON.stringify({ ...size, dtboxes, gtboxes }) + "\n");
  }
  await write(paths.gt, gt);
  await write(paths.dt, dt);
}

/** CityPersons' val_gt.json and detections. */
export async function writeCityPersonsSet(
  paths: { readonly gt: string; readonly dt: string },
  shape: { readonly images: number; readonly truths: number; readonly detections: number },
): Promise<void> {
  const [width, height] = [2048, 1024];
  const rng = createRng(12);
  const images = Array.from({ length: shape.images }, (_, i) => ({
    id: i + 1,
    im_name: `${i + 1}.png`,
    height,
    width,
  }));
  const annotations: unknown[] = [];
  const detections: unknown[] = [];
  for (const { id } of images) {
    const truths = crowd(rng, shape.truths, width, height).map((box) => box.map(Math.round) as Xywh);
    for (const bbox of truths) {
      const ignored = rng.next() < 0.4;
      const seen = ignored || rng.next() < 0.5 ? 1 : round(rng.next(), 6);
      annotations.push({
        id: annotations.length + 1,
        image_id: id,
        category_id: 1,
        iscrowd: 0,
        ignore: ignored ? 1 : 0,
        bbox,
        vis_bbox: bbox,
        height: bbox[3],
        vis_ratio: seen,
      });
    }
    for (const { box: bbox, score } of detect(rng, truths, shape.detections, width, height))
      detections.push({ image_id: id, category_id: 1, bbox, score });
  }
  await write(paths.gt, [
    JSON.stringify({ categories: [{ id: 1, name: "pedestrian" }], images, annotations }),
  ]);
  await write(paths.dt, ["[", ...list(detections), "]"]);
}

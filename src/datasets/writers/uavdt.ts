/**
 * @file Writes UAVDT's text files, three a sequence: `GT/<sequence>_gt_whole.txt` (detection, with category and degrees of
 * occlusion), `_gt.txt` (tracking) and `_gt_ignore.txt`. Pictures are `UAV-benchmark-M/<sequence>/img000001.jpg`.
 */
import { appendFile, mkdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { InputError } from "../../base/errors.js";
import type { GroundTruthObject, Sample } from "../sample.js";
import type { AnnotationForm } from "./form.js";
import { xywh } from "./boxes.js";
import { frameId, planFrames, trackNumbers, type FrameNumber } from "./frames.js";
import { countLosses, HOLDS_BOXES, type Holds, type LossTally } from "./losses.js";
import { categoryOf, type CategoryRule } from "./people.js";

const RULE: CategoryRule = { categories: { car: 1, truck: 2, bus: 3 }, vehicle: "car" };
const OCCLUSION = ["none", "large", "medium", "small"];
const OUT_OF_VIEW = ["none", "medium", "small"];

const HOLDS: Holds = {
  ...HOLDS_BOXES,
  id: true,
  attributes: ["category", "occlusion", "outOfView"],
  ignore: true,
};

/** UAVDT. */
export const uavdtForm: AnnotationForm = {
  title: "UAVDT's text files, three a sequence (vehicles: it has no people)",
  layout: "folder",
  fileName: "",
  holds: HOLDS,
  async open({ dataset, target, losses, copied }) {
    const frames = await planFrames(dataset, copied, losses);
    const folder = join(target, "GT");
    await mkdir(folder);
    const track = trackNumbers();
    /** Images without a row since the last that had one. */
    const trailing = new Map<string, number>();
    let next = 0;
    const append = (sequence: string, kind: string, lines: readonly string[]) =>
      appendFile(join(folder, `${sequence}_${kind}.txt`), lines.map((line) => line + "\n").join(""));
    return {
      pictureName(_sample, extension) {
        const { sequence, frame } = frames[next]!;
        return `UAV-benchmark-M/${sequence}/img${String(frame).padStart(6, "0")}${extension}`;
      },
      async add(sample, picture) {
        const { sequence, frame } = frames[next++]!;
        if (!copied) checkPicture(sample, picture, { sequence, frame });
        if (sample.id !== frameId({ sequence, frame }))
          losses.add("changed", "ids of images (sequence and frame in this form)");
        const rows = sample.objects.length + sample.ignore.length;
        trailing.set(sequence, rows > 0 ? 0 : (trailing.get(sequence) ?? 0) + 1);
        // Shares are counted where they become degrees.
        countLosses(sample, { ...HOLDS, visibility: true }, losses);
        losses.add("dropped", "sizes of images (the pictures tell)");
        const whole: string[] = [];
        const tracked: string[] = [];
        for (const object of sample.objects) {
          const category = categoryOf(object, RULE, losses);
          if (category === undefined) continue;
          if (object.id === undefined)
            losses.add("added", "ids of objects (a number of its own for each box)");
          const start = [frame, track({ sequence, frame }, object.id), ...xywh(object.box)];
          whole.push([...start, ...degrees(object, losses), category].join(","));
          tracked.push([...start, 1, 1, -1].join(","));
        }
        await append(sequence, "gt_whole", whole);
        await append(sequence, "gt", tracked);
        await append(
          sequence,
          "gt_ignore",
          sample.ignore.map((region) =>
            [frame, track({ sequence, frame }, undefined), ...xywh(region), 1, -1, -1].join(","),
          ),
        );
      },
      finish() {
        for (const count of trailing.values())
          losses.add(
            "dropped",
            "images after the last box of their sequence (this form lists boxes only)",
            count,
          );
        return Promise.resolve();
      },
    };
  },
};

/** Out of view: 1 not, 2 to a medium, 3 to a small part. Occlusion: 1 none, 2 large, 3 medium, 4 small. */
function degrees({ attributes = {}, visibility }: GroundTruthObject, losses: LossTally): [number, number] {
  const outOfView = Math.max(0, OUT_OF_VIEW.indexOf(String(attributes["outOfView"]))) + 1;
  const told = OCCLUSION.indexOf(String(attributes["occlusion"])) + 1;
  const hidden = 1 - (visibility ?? 1);
  const level = told > 0 ? told : hidden < 0.005 ? 1 : hidden > 0.5 ? 2 : hidden > 0.3 ? 3 : 4;
  if (visibility === undefined && told === 0)
    losses.add("added", "degrees of occlusion that are not known (none)");
  // Only "wholly visible" is a share in this form.
  if (visibility !== undefined && !(visibility === 1 && level === 1 && outOfView === 1))
    losses.add("changed", "visible shares (a degree of occlusion in this form)");
  return [outOfView, level];
}

/** Readers find pictures as `<sequence>/img<frame>`. */
function checkPicture(sample: Sample, picture: string, { sequence, frame }: FrameNumber): void {
  const wanted = `${sequence}/img${String(frame).padStart(6, "0")}`;
  if (picture.slice(0, picture.length - extname(picture).length).endsWith(wanted)) return;
  throw new InputError(`sample "${sample.id}": its picture ${picture} is not ${wanted}.jpg`, {
    hint: "This form finds pictures by sequence and frame: --copy-images writes them under such names.",
  });
}

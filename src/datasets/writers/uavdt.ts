/**
 * @file Writes UAVDT's text files, three a sequence: `GT/<sequence>_gt_whole.txt` (detection, with category and degrees of
 * occlusion), `_gt.txt` (tracking) and `_gt_ignore.txt`. Pictures are `UAV-benchmark-M/<sequence>/img000001.jpg`.
 */
import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { GroundTruthObject } from "../sample.js";
import type { AnnotationForm } from "./form.js";
import { xywh } from "./boxes.js";
import { frameNumbers, trackNumbers } from "./frames.js";
import { countLosses, HOLDS_BOXES, type Holds, type LossTally } from "./losses.js";
import { categoryOf } from "./people.js";

const CATEGORIES = { car: 1, truck: 2, bus: 3 } as const;

const HOLDS: Holds = { ...HOLDS_BOXES, id: true, attributes: ["occlusion", "outOfView"], ignore: true };

/** UAVDT. */
export const uavdtForm: AnnotationForm = {
  title: "UAVDT's text files, three a sequence (vehicles: it has no people)",
  layout: "folder",
  fileName: "",
  holds: HOLDS,
  async open({ dataset, target, losses }) {
    const frames = await frameNumbers(dataset);
    const folder = join(target, "GT");
    await mkdir(folder);
    const track = trackNumbers();
    let next = 0;
    const append = (sequence: string, kind: string, lines: readonly string[]) =>
      appendFile(join(folder, `${sequence}_${kind}.txt`), lines.map((line) => line + "\n").join(""));
    return {
      pictureName(_sample, extension) {
        const { sequence, frame } = frames[next]!;
        return `UAV-benchmark-M/${sequence}/img${String(frame).padStart(6, "0")}${extension}`;
      },
      async add(sample) {
        const { sequence, frame } = frames[next++]!;
        // Shares are counted where they become degrees.
        countLosses(sample, { ...HOLDS, visibility: true }, losses);
        losses.add("dropped", "sizes of images (the pictures tell)");
        const whole: string[] = [];
        const tracked: string[] = [];
        for (const object of sample.objects) {
          const category = categoryOf(object.label, CATEGORIES, undefined, losses);
          if (category === undefined) continue;
          if (object.id === undefined)
            losses.add("added", "ids of objects (a number of its own for each box)");
          const start = [frame, track(sequence, object.id), ...xywh(object.box)];
          whole.push([...start, ...degrees(object, losses), category].join(","));
          tracked.push([...start, 1, 1, -1].join(","));
        }
        await append(sequence, "gt_whole", whole);
        await append(sequence, "gt", tracked);
        await append(
          sequence,
          "gt_ignore",
          sample.ignore.map((region) =>
            [frame, track(sequence, undefined), ...xywh(region), 1, -1, -1].join(","),
          ),
        );
      },
      finish: () => Promise.resolve(),
    };
  },
};

/** Out of view: 1 not, 2 to a medium, 3 to a small part. Occlusion: 1 none, 2 large, 3 medium, 4 small. */
function degrees({ attributes, visibility }: GroundTruthObject, losses: LossTally): [number, number] {
  const { occlusion, outOfView } = attributes ?? {};
  if (occlusion === undefined && visibility !== undefined)
    losses.add("changed", "visible shares (a degree of occlusion in this form)");
  const hidden = 1 - (visibility ?? 1);
  const degree = hidden < 0.005 ? 1 : hidden > 0.5 ? 2 : hidden > 0.3 ? 3 : 4;
  return [Number(outOfView ?? 1), Number(occlusion ?? degree)];
}

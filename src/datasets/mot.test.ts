import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { collect } from "./collect.js";
import { openDataset } from "./dataset.js";
import { writePng } from "./image-file.js";
import { readMotRows, readSequenceInfo } from "./mot-files.js";
import { readMot, type MotOptions } from "./mot.js";
import { Problems } from "./problems.js";

let sequence: string;
const blank = { width: 100, height: 80, data: new Uint8Array(100 * 80 * 3) };

beforeEach(async () => {
  sequence = await mkdtemp(join(tmpdir(), "dip-r1-mot-"));
  await mkdir(join(sequence, "gt"));
  await mkdir(join(sequence, "img1"));
});

async function gt(...lines: string[]): Promise<string> {
  const path = join(sequence, "gt", "gt.txt");
  await writeFile(path, lines.join("\n") + "\n");
  return path;
}

async function frames(...numbers: number[]): Promise<void> {
  for (const n of numbers) await writePng(join(sequence, "img1", `${String(n).padStart(6, "0")}.png`), blank);
}

const read = (options: MotOptions = {}) => collect(readMot(sequence, options));
const files = async (options: MotOptions) =>
  (await read(options)).map((s) => [
    s.id.split("-").at(-1),
    s.image.kind === "file" && s.image.path.slice(-10, -4),
  ]);

describe("readMotRows", () => {
  it("reads 10 columns: flag, world coordinates", async () => {
    const path = await gt("1,9,10,20,30,40,1,-4.1,-7.3,0", "2,9,11,20,30,40,0,-4.1,-7.3,0");
    expect(await collect(readMotRows(path))).toEqual([
      { frame: 1, track: 9, box: { x1: 10, y1: 20, x2: 40, y2: 60 }, role: "person", category: "person" },
      { frame: 2, track: 9, box: { x1: 11, y1: 20, x2: 41, y2: 60 }, role: "ignore", category: "person" },
    ]);
  });

  it("reads 9 columns: flag, class, visibility; pixels from 1 where told", async () => {
    const path = await gt(
      "1,1,10,20,30,40,1,1,0.75",
      "1,2,10,20,30,40,0,1,1",
      "1,3,10,20,30,40,0,8,1",
      "1,4,10,20,30,40,0,3,1",
      "1,5,10,20,30,40,0,12,0.5,",
    );
    const rows = await collect(readMotRows(path, { origin: 1 }));
    expect(rows.map((row) => row.role)).toEqual(["person", "ignore", "ignore", "other", "ignore"]);
    expect(rows.map((row) => row.category)).toEqual(["person", "person", "distractor", "car", "reflection"]);
    expect(rows[0]).toMatchObject({ box: { x1: 9, y1: 19, x2: 39, y2: 59 }, visibility: 0.75 });
  });

  it.each([
    ["1,9,10,20", "has 4 columns"],
    ["1,9,ten,20,30,40,1,0,0,0", 'left must be a number, got "ten"'],
    ["0,9,10,20,30,40,1,0,0,0", "frame must be a whole number of at least 1, got 0"],
    ["1,9,10,20,30,-4,1,0,0,0", "the box has no area: width 30, height -4"],
    ["1,9,10,20,30,40,1,,0.5", 'class must be a number, got ""'],
  ])("names file and line: %s", async (line, message) => {
    const path = await gt("1,9,10,20,30,40,1,0,0,0", line);
    await expect(collect(readMotRows(path))).rejects.toThrow(`${path}:2: ${message}`);
  });
});

describe("readSequenceInfo", () => {
  it("reads the keys and names what is wrong", async () => {
    const path = join(sequence, "seqinfo.ini");
    await writeFile(
      path,
      "[Sequence]\r\nname=S1\r\nimDir=frames\r\nseqLength=3\r\nimWidth=100\r\nimHeight=80\r\nimExt=.png\r\n",
    );
    expect(await readSequenceInfo(path)).toEqual({
      name: "S1",
      imageFolder: "frames",
      length: 3,
      width: 100,
      height: 80,
      extension: ".png",
    });
    await writeFile(path, "seqLength=many\n");
    await expect(readSequenceInfo(path)).rejects.toThrow(`${path}: seqLength must be a whole number`);
  });
});

describe("readMot", () => {
  it("clips at the edge; a person mostly outside becomes an ignore region; frames without people count", async () => {
    await gt(
      "1,1,-10,20,30,40,1,0,0,0",
      "1,2,-28,20,30,40,1,0,0,0",
      "1,3,-50,20,30,40,1,0,0,0",
      "3,1,1,1,5,5,1,0,0,0",
    );
    await frames(1, 2, 3);
    const samples = await read();
    expect(samples.map((s) => s.objects.length)).toEqual([1, 0, 1]);
    expect(samples[0]).toMatchObject({
      width: 100,
      height: 80,
      objects: [{ box: { x1: 0, y1: 20, x2: 20, y2: 60 }, label: "person" }],
      ignore: [{ x1: 0, y1: 20, x2: 2, y2: 60 }],
    });
    const whole = await read({ clip: false });
    expect(whole[0]!.objects.map((o) => o.box.x1)).toEqual([-10, -28, -50]);
  });

  it("keeps tracks as ids and says what ignore regions are", async () => {
    await gt(
      "1,4,10,20,30,40,1,1,0.5",
      "1,5,10,20,30,40,0,8,1",
      "1,6,10,20,30,40,0,1,1",
      "1,7,90,20,9,9,0,3,1",
    );
    await frames(1);
    const [sample] = await read();
    expect(sample).toMatchObject({
      objects: [{ id: "4", visibility: 0.5 }],
      ignoreLabels: ["distractor", "person"],
    });
  });

  it("goes on past bad rows and missing frames where asked, and counts them", async () => {
    await gt(
      "1,1,10,20,30,40,1,0,0,0",
      "1,1,11,20,30,40,1,0,0,0",
      "1,2,5,5,0,4,1,0,0,0",
      "x,2,5,5,5,4,1,0,0,0",
      "1,3,200,5,5,4,1,0,0,0",
      "2,1,10,20,30,40,1,0,0,0",
    );
    await frames(1);
    await expect(read()).rejects.toThrow(/gt\.txt:2: id 1 has a box in frame 1 already, in line 1/);
    const problems = new Problems("skip");
    expect((await read({ problems })).map((s) => s.objects.length)).toEqual([1]);
    expect(problems.report()).toMatchObject({
      kinds: { "duplicate-id": 1, "empty-box": 1, field: 1, "image-missing": 1 },
      noted: { "box-outside": 1 },
    });
  });

  it("recognises corners where width and height belong", async () => {
    const rows = [0, 1, 2, 3, 4, 5].map(
      (k) => `1,${k},${5 + 10 * k},${5 + k},${45 + 10 * k},${70 + k},1,0,0,0`,
    );
    await gt(...rows);
    await frames(1);
    await expect(read()).rejects.toThrow(/look like \[x1, y1, x2, y2\]/);
    expect((await read({ boxes: "xyxy" }))[0]!.objects[0]!.box).toEqual({ x1: 5, y1: 5, x2: 45, y2: 70 });
  });

  it("takes every N-th frame of a stretch", async () => {
    await gt("12,1,1,1,5,5,1,0,0,0");
    await frames(1, 4, 7, 10);
    expect(await files({ every: 3 })).toEqual([
      ["000001", "000001"],
      ["000004", "000004"],
      ["000007", "000007"],
      ["000010", "000010"],
    ]);
    expect((await files({ every: 3, frames: { from: 3, to: 8 } })).map(([id]) => id)).toEqual([
      "000004",
      "000007",
    ]);
    await expect(read()).rejects.toThrow(/no picture of frame 2 \(number 2/);
  });

  it("takes files that carry the video's own index: frame k of gt.txt is frame k-1 of the video", async () => {
    await gt("3,1,1,1,5,5,1,0,0,0");
    await frames(0, 1, 2);
    expect(await files({ firstFile: 0 })).toEqual([
      ["000001", "000000"],
      ["000002", "000001"],
      ["000003", "000002"],
    ]);
  });

  it("takes every N-th frame that was saved as 1, 2, 3", async () => {
    await gt("11,1,1,1,5,5,1,0,0,0");
    await frames(1, 2, 3);
    expect(await files({ every: 5, fileStep: 5 })).toEqual([
      ["000001", "000001"],
      ["000006", "000002"],
      ["000011", "000003"],
    ]);
    expect((await files({ every: 10, fileStep: 5 })).map(([, file]) => file)).toEqual(["000001", "000003"]);
  });

  it("guesses visibility only where asked and the file does not tell", async () => {
    await gt("1,1,10,10,20,20,1,0,0,0", "1,2,20,15,20,20,1,0,0,0");
    await frames(1);
    expect((await read())[0]!.objects.map((o) => o.visibility)).toEqual([undefined, undefined]);
    const [hidden, free] = (await read({ estimateVisibility: true }))[0]!.objects;
    expect(free!.visibility).toBe(1);
    expect(hidden!.visibility).toBeCloseTo(1 - (10 * 15) / 400, 1);
    await gt("1,1,10,10,20,20,1,1,0.9", "1,2,20,15,20,20,1,1,1");
    expect((await read({ estimateVisibility: true }))[0]!.objects[0]!.visibility).toBe(0.9);
  });

  it("names what is missing", async () => {
    await gt("1,1,1,1,5,5,1,0,0,0");
    await expect(read({ images: join(sequence, "frames") })).rejects.toThrow(/frames: no folder of frames/);
    await expect(collect(readMot(join(sequence, "none")))).rejects.toThrow(/no such file/);
  });
});

describe("a sequence without its frames", () => {
  const seqinfo = (...lines: string[]) => writeFile(join(sequence, "seqinfo.ini"), lines.join("\n"));
  const sized = ["name=S1", "seqLength=3", "imWidth=100", "imHeight=80", "imExt=.png"];
  const open = (keys = "") => openDataset(`mot:${sequence}${keys}`);
  const img1 = (file: string) => ({ kind: "file", path: join(sequence, "img1", file) });
  const noFrames = () => rm(join(sequence, "img1"), { recursive: true });

  beforeEach(async () => {
    await gt("1,1,-10,20,30,40,1,0,0,0", "2,1,1,1,5,5,1,0,0,0");
  });

  it("is read where seqinfo.ini gives the size, and noted once", async () => {
    await seqinfo(...sized);
    const empty = await open();
    await noFrames();
    const set = await open();
    const samples = await collect(set.samples());
    expect(samples.map(({ id, image, width, height }) => ({ id, image, width, height }))).toEqual(
      [1, 2, 3].map((k) => ({ id: `S1-00000${k}`, image: img1(`00000${k}.png`), width: 100, height: 80 })),
    );
    // Clipped as they are with frames.
    expect(samples.map((s) => s.objects.map((o) => o.box.x1))).toEqual([[0], [1], []]);
    expect(set.problems).toMatchObject({ leftOut: 0, noted: { "image-missing": 1 } });
    expect(set.problems.examples).toEqual([expect.stringMatching(/no picture is at hand: .*000001\.png/)]);
    expect(empty.problems.noted).toEqual(set.problems.noted);
    await mkdir(join(sequence, "img1"));
    await frames(1, 2, 3);
    const whole = await open();
    expect(await collect(whole.samples())).toEqual(samples);
    expect([whole.fingerprint, whole.problems.noted]).toEqual([set.fingerprint, {}]);
  });

  it("is read where sizes give it, up to the last annotated frame", async () => {
    await noFrames();
    expect((await read({ sizes: "90x70" })).map((s) => [s.image, s.width, s.height])).toEqual([
      [img1("000001.jpg"), 90, 70],
      [img1("000002.jpg"), 90, 70],
    ]);
    await seqinfo("name=S1");
    await writeFile(join(sequence, "sizes.json"), JSON.stringify({ S1: [80, 100] }));
    const set = await open(`?sizes=${join(sequence, "sizes.json")}`);
    expect(await set.at(0)).toMatchObject({ id: "S1-000001", width: 100, height: 80 });
    // What the annotations say goes first.
    await seqinfo(...sized);
    expect(await (await open("?sizes=90x70")).at(0)).toMatchObject({ width: 100, height: 80 });
  });

  it.each(["", "?onError=skip", "?checkImages=none"])(
    "is refused where nothing gives it: %s",
    async (keys) => {
      const refused = {
        message: expect.stringMatching(
          /img1: no frames there, and the size of the sequence \S+ is not known/,
        ),
        hint: expect.stringMatching(/ffmpeg .*\(images\).*imWidth and imHeight in seqinfo\.ini, or sizes=/),
      };
      await expect(open(keys)).rejects.toMatchObject(refused);
      await seqinfo("seqLength=3", "imWidth=100");
      await noFrames();
      await expect(open(keys)).rejects.toMatchObject(refused);
    },
  );

  it("is refused where a folder of frames was named, unless pictures are not asked for", async () => {
    await seqinfo(...sized);
    const folder = join(sequence, "frames");
    await expect(open(`?images=${folder}`)).rejects.toThrow(`${folder}: no folder of frames`);
    expect((await open(`?images=${folder}&checkImages=none`)).length).toBe(3);
    await mkdir(folder);
    await expect(open(`?images=${folder}`)).rejects.toThrow(/no picture of frame 1/);
  });

  it("is not one of which some are there", async () => {
    await frames(2);
    await seqinfo(...sized);
    await expect(open()).rejects.toMatchObject({
      message: expect.stringMatching(/no picture of frame 1 \(number 1/),
      hint: expect.stringMatching(/fileStep=N/),
    });
    const skipped = await open("?onError=skip");
    expect([skipped.length, skipped.problems.kinds]).toEqual([1, { "image-missing": 2 }]);
    // The size is that of the picture that is there.
    await seqinfo("imExt=.png");
    const alone = await collect((await open("?checkImages=none")).samples());
    expect(alone.map((s) => [s.image, s.width])).toEqual([
      [img1("000001.png"), 100],
      [img1("000002.png"), 100],
    ]);
  });

  it("has its files numbered as told, and none between them", async () => {
    await seqinfo(...sized, "seqLength=11");
    expect(await files({ every: 5, fileStep: 5, firstFile: 0 })).toEqual([
      ["000001", "000000"],
      ["000006", "000001"],
      ["000011", "000002"],
    ]);
    await expect(read({ fileStep: 5 })).rejects.toThrow(/no picture of frame 2 \(number 1\.2/);
  });
});

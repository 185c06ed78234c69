/**
 * Every shim in integrations/, called from a plain Python by the signature that its trainer documents, against the live
 * server; and the trainers' contracts as they are, without a shim.
 */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../src/base/index.js";
import { defaultRewardConfig } from "../src/rewards/index.js";
import { send } from "./support/http-client.js";
import { expectedScores, makeGroup, type MadeGroup } from "./support/reward-groups.js";
import { startRewardProcess, type RewardProcess } from "./support/reward-process.js";

const TOKEN = "a-token-for-tests";
const groups = [makeGroup(1), makeGroup(2), makeGroup(3)];
const lineOf = ({ id, width, height, objects, ignore }: MadeGroup) => ({
  id,
  width,
  height,
  objects,
  ignore,
});
const data = join(mkdtempSync(join(tmpdir(), "dip-integrations-")), "samples.jsonl");
// Rewards need no picture, whether a line names one that is not there or names none.
writeFileSync(
  data,
  groups
    .map((group, i) => JSON.stringify({ ...lineOf(group), ...(i === 0 && { image: "none.png" }) }) + "\n")
    .join(""),
);

/** One row a response, group after group, as trainers send them. */
const rows = groups.flatMap((group) => {
  const scores = expectedScores(group, defaultRewardConfig);
  return group.responses.map((text, i) => ({ group, text, score: scores[i]! }));
});
const column = <T>(read: (row: (typeof rows)[number]) => T) => rows.map(read);
const totals = column(({ score }) => score.total);
const formats = column(({ score }) => score.format);
const looks = column(({ score }) => score.look);
const accuracies = column(({ score }) => score.accuracy);
/** The columns that `data convert --to trl` writes. */
const trlColumns = {
  id: column(({ group }) => group.id),
  solution: column(({ group }) =>
    JSON.stringify(group.objects.map(({ bbox, label }) => ({ bbox_2d: bbox, label }))),
  ),
  width: column(({ group }) => group.width),
  height: column(({ group }) => group.height),
  frame: column(() => "image"),
  ignore: column(({ group }) => JSON.stringify(group.ignore)),
};
/** Without the look reward. */
const alone = column(({ score }) => 0.5 * score.format + score.accuracy);

let server: RewardProcess;
beforeAll(async () => {
  server = await startRewardProcess(["--data", `jsonl:${data}`, "--workers", "2"], {
    DIP_R1_TOKEN: TOKEN,
  });
});
afterAll(async () => {
  server.signal("SIGTERM");
  await server.exited;
});

const present = spawnSync("python3", ["--version"]).status === 0;
if (!present) console.warn("python3: not here, so the shims' tests are skipped.");
it.runIf(process.env["CI"] === "true")("python3 is at hand in CI", () => expect(present).toBe(true));

/** Runs a program that finds `given`, its input, and prints one JSON value; without site packages: the standard library is enough. */
async function python<T>(
  program: string,
  given: unknown,
  env: Readonly<Record<string, string>> = {},
): Promise<T> {
  const file = join(mkdtempSync(join(tmpdir(), "dip-python-")), "given.json");
  writeFileSync(file, JSON.stringify(given));
  const lines = [
    "import json, sys",
    `sys.path.insert(0, ${JSON.stringify(join(packageRoot, "integrations"))})`,
  ];
  const { stdout } = await promisify(execFile)(
    "python3",
    ["-S", "-B", "-c", [...lines, `given = json.load(open(${JSON.stringify(file)}))`, program].join("\n")],
    {
      env: {
        PATH: process.env["PATH"],
        DIP_R1_URL: server.url,
        DIP_R1_TOKEN: TOKEN,
        DIP_R1_PATIENCE: "60",
        ...env,
      },
    },
  );
  return JSON.parse(stdout) as T;
}

describe.skipIf(!present)("TRL", () => {
  const completions = column(({ text }) => [{ role: "assistant", content: text }]);
  const prompts = column(() => [{ role: "user", content: "find <answer>[]</answer>" }]);

  it("calls dip_r1(prompts, completions, **columns), which logs the parts", async () => {
    const program = `
from dip_r1_trl import dip_r1
class State: global_step = 3
metrics, extra = {}, {}
rewards = dip_r1(prompts=given["prompts"], completions=given["completions"], completion_ids=[[1]] * len(given["prompts"]),
    image=[object()] * len(given["prompts"]), trainer_state=State(), log_metric=lambda k, v: metrics.update({k: v}),
    log_extra=lambda k, v: extra.update({k: v}), **given["columns"])
print(json.dumps({"rewards": rewards, "metrics": metrics, "extra": extra}))`;
    const said = await python<{
      rewards: number[];
      metrics: Record<string, number>;
      extra: { grade: string[] };
    }>(program, {
      prompts,
      completions,
      columns: trlColumns,
    });
    expect(said.rewards).toEqual(totals);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(said.metrics["dip_r1/look"]).toBeCloseTo(mean(looks), 12);
    expect(said.metrics["dip_r1/accuracy"]).toBeCloseTo(mean(accuracies), 12);
    expect(said.extra.grade).toEqual(column(({ score }) => score.grade));
  });

  it("takes the parts as functions of their own, with ids alone", async () => {
    const program = `
import dip_r1_trl as r
calls = []
post = r.post
r.post = lambda *a, **k: calls.append(a) or post(*a, **k)
parts = [f(given["prompts"], given["completions"], id=given["id"]) for f in (r.dip_r1_format, r.dip_r1_look, r.dip_r1_accuracy)]
print(json.dumps({"parts": parts, "calls": len(calls)}))`;
    expect(await python(program, { prompts, completions, id: trlColumns.id })).toEqual({
      parts: [formats, looks, accuracies],
      calls: 1,
    });
  });

  it("puts together groups that are spread over processes", async () => {
    const program = `
from dip_r1_trl import dip_r1
class State: global_step = 7
print(json.dumps(dip_r1(given["prompts"], given["completions"], trainer_state=State(), id=given["id"])))`;
    // Four processes, each with one response of every group.
    const parts = await Promise.all(
      [0, 1, 2, 3].map((rank) => {
        const mine = rows.map((_, i) => i).filter((i) => i % 4 === rank);
        return python<number[]>(
          program,
          {
            prompts: mine.map((i) => prompts[i]),
            completions: mine.map((i) => completions[i]),
            id: mine.map((i) => trlColumns.id[i]),
          },
          { DIP_R1_GROUP_SIZE: "4" },
        );
      }),
    );
    expect(rows.map((_, i) => parts[i % 4]![Math.floor(i / 4)])).toEqual(totals);
  });

  it("stops the training with the server's words where columns are wrong", async () => {
    const call = python("from dip_r1_trl import dip_r1\ndip_r1(given, given, id=['nobody', 'nobody'])", [
      "a",
      "b",
    ]);
    await expect(call).rejects.toThrow(/no sample with the id/);
  });
});

describe.skipIf(!present)("ms-swift", () => {
  it("calls ORM.__call__(completions, **columns) of what is registered in orms", async () => {
    const program = `
import types
class ORM:
    def __init__(self, args=None, **kwargs): self.args = args
rewards = types.ModuleType("swift.rewards"); rewards.ORM, rewards.orms = ORM, {}
sys.modules.update({"swift": types.ModuleType("swift"), "swift.rewards": rewards})
import dip_r1_swift
assert all(issubclass(orm, ORM) for orm in rewards.orms.values())
print(json.dumps({name: orm(args=object())(given["completions"], trainer_state=object(), messages=[object()], **given["columns"])
    for name, orm in rewards.orms.items()}))`;
    const said = await python(program, { completions: column(({ text }) => text), columns: trlColumns });
    expect(said).toEqual({
      dip_r1: totals,
      dip_r1_format: formats,
      dip_r1_look: looks,
      dip_r1_accuracy: accuracies,
    });
  });
});

describe.skipIf(!present)("verl", () => {
  const given = {
    texts: column(({ text }) => text),
    truths: column(({ group }) => JSON.stringify(lineOf(group))),
    ids: column(({ group }) => group.id),
  };
  const train = { split: "train", index: 0, num_turns: 1 };

  it("calls compute_score_batch(data_sources, solution_strs, ground_truths, extra_infos)", async () => {
    const program = `
from dip_r1_verl import compute_score_batch
print(json.dumps(compute_score_batch(data_sources=["crowd"] * len(given["texts"]), solution_strs=given["texts"],
    ground_truths=given["truths"], extra_infos=[dict(given["extra"], obj=object()) for _ in given["texts"]])))`;
    const scores = await python<Record<string, number>[]>(program, { ...given, extra: train });
    expect(scores.map(({ score }) => score)).toEqual(totals);
    expect(scores.map(({ look }) => look)).toEqual(looks);
    for (const score of scores) {
      expect(Object.keys(score).toSorted()).toEqual(
        "accuracy failed format look precision recall score strict".split(" "),
      );
      expect(Object.values(score).every((value) => typeof value === "number")).toBe(true);
    }
  });

  it("awaits compute_score_async of all samples at once, and has whole groups", async () => {
    const program = `
import asyncio
from dip_r1_verl import compute_score_async
async def main():
    return await asyncio.gather(*(compute_score_async(data_source="crowd", solution_str=text, ground_truth=truth,
        extra_info=given["extra"], group_size=4, reward_router_address=None) for text, truth in zip(given["texts"], given["ids"])))
print(json.dumps(asyncio.run(main())))`;
    const scores = await python<Record<string, number>[]>(program, { ...given, extra: train });
    expect(scores.map(({ score }) => score)).toEqual(totals);
    const validation = await python<Record<string, number>[]>(program, {
      ...given,
      extra: { split: "test" },
    });
    expect(validation.map(({ score }) => score)).toEqual(alone);
    expect(validation.every(({ look }) => look === 0)).toBe(true);
  });

  it("calls compute_score(data_source, solution_str, ground_truth, extra_info) without a group", async () => {
    const program = `
from dip_r1_verl import compute_score
print(json.dumps([compute_score("crowd", text, truth, None)["score"] for text, truth in zip(given["texts"], given["truths"])]))`;
    expect(await python(program, given)).toEqual(alone);
  });
});

describe.skipIf(!present)("EasyR1", () => {
  it("calls compute_score(reward_inputs), of batches in any order", async () => {
    const program = `
import dip_r1_easyr1 as r
assert r.REWARD_TYPE == "batch" and r.REWARD_NAME
print(json.dumps(r.compute_score(given)))`;
    // Whole groups, but shuffled, as a balanced batch is.
    const order = rows.map((_, i) => (i * 5) % rows.length);
    const inputs = order.map((i) => ({
      response: rows[i]!.text,
      response_length: 17,
      ground_truth: JSON.stringify(lineOf(rows[i]!.group)),
    }));
    const scores = await python<Record<string, number>[]>(program, inputs);
    expect(scores.map(({ overall }) => overall)).toEqual(order.map((i) => totals[i]));
    expect(scores.map(({ look }) => look)).toEqual(order.map((i) => looks[i]));
    const validation = await python<Record<string, number>[]>(program, [inputs[0], inputs[1]]);
    expect(validation.map(({ overall }) => overall)).toEqual([alone[order[0]!], alone[order[1]!]]);
  });
});

describe("OpenRLHF", () => {
  // The prompt names the tags, as ours does: taken for a part of the response it would spoil every grade.
  const prompt = (text: string) =>
    `<|im_start|>user\n${text} <think> </think> <answer>[]</answer><|im_end|>\n<|im_start|>assistant\n`;
  const queries = column(
    ({ text }) => `${prompt("<|vision_start|><|image_pad|><|vision_end|>find")}${text}<|im_end|>`,
  );
  const expanded = queries.map((query) => query.replace("<|image_pad|>", "<|image_pad|>".repeat(40)));
  const prompts = queries.map(() => prompt("<|vision_start|><|image_pad|><|vision_end|>find"));
  const labels = column(({ group }) => group.id);

  it.each([
    ["decoded as the prompt was written", queries],
    ["with expanded image tokens", expanded],
  ])("posts query, prompts and labels, one response a request, %s", async (_name, texts) => {
    const answers = await Promise.all(
      texts.map((query, i) =>
        send<{ rewards: number[]; scores: number[]; extra_logs: Record<string, number[]> }>(
          `${server.url}/v1/openrlhf?group_size=4`,
          {
            body: { query: [query], prompts: [prompts[i]], labels: [labels[i]] },
            headers: { authorization: `Bearer ${TOKEN}` },
          },
        ),
      ),
    );
    expect(answers.map((answer) => answer.json().rewards[0])).toEqual(totals);
    expect(answers.map((answer) => answer.json().scores[0])).toEqual(accuracies);
    expect(answers.map((answer) => answer.json().extra_logs["look"]![0])).toEqual(looks);
  });

  it.skipIf(!present)("calls reward_func(queries, prompts, labels, **kwargs) from threads", async () => {
    const program = `
import concurrent.futures
from dip_r1_openrlhf import reward_func
with concurrent.futures.ThreadPoolExecutor(64) as pool:
    done = pool.map(lambda row: reward_func([row[0]], [row[1]], [row[2]]), zip(given["queries"], given["prompts"], given["labels"]))
    print(json.dumps([list(one["rewards"])[0] for one in done]))`;
    expect(await python(program, { queries: expanded, prompts, labels }, { DIP_R1_GROUP_SIZE: "4" })).toEqual(
      totals,
    );
  });
});

describe.skipIf(!present)("every shim", () => {
  it.each(["trl", "swift", "verl", "easyr1", "openrlhf"])(
    "dip_r1_%s waits for a busy server and for one that is away",
    async (name) => {
      // A server that is busy once, then breaks the connection, then answers.
      const program = `
import http.server, threading
import dip_r1_${name} as shim
seen = []
class Moody(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        seen.append(self.headers["Authorization"])
        if len(seen) == 2:
            self.connection.close()
            return
        body = json.dumps({"n": len(seen), "path": self.path}).encode()
        self.send_response(429 if len(seen) == 1 else 200)
        if len(seen) == 1: self.send_header("Retry-After", "1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Moody)
threading.Thread(target=server.serve_forever, daemon=True).start()
shim.URL = "http://127.0.0.1:%d" % server.server_port
print(json.dumps([shim.post("/v1/x", {}, group_size=4, frame=None), seen]))`;
      expect(await python(program, {})).toEqual([
        { n: 3, path: "/v1/x?group_size=4" },
        Array<string>(3).fill(`Bearer ${TOKEN}`),
      ]);
    },
  );
});

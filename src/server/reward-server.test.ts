import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeGroup, expectedScores, requestOf, type MadeGroup } from "../../test/support/reward-groups.js";
import { send, until } from "../../test/support/http-client.js";
import { renderResponse } from "../response/index.js";
import { defaultRewardConfig } from "../rewards/index.js";
import type { Sample } from "../datasets/sample.js";
import { startRewardServer, type RewardServer } from "./reward-server.js";
import type { WireScore } from "./wire.js";

interface ScoreAnswer {
  readonly groups: readonly {
    readonly group_id?: string;
    readonly sample_id?: string;
    readonly responses: readonly WireScore[];
    readonly error?: { readonly code: string; readonly message: string };
  }[];
}
interface Refused {
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string };
}

const groups = Array.from({ length: 6 }, (_, i) => makeGroup(i));
const samples: Sample[] = groups.map(({ id, width, height, objects, ignore }) => ({
  id,
  image: { kind: "file", path: "" },
  width,
  height,
  objects: objects.map(({ bbox: [x1, y1, x2, y2], label }) => ({ box: { x1, y1, x2, y2 }, label })),
  ignore: ignore.map(([x1, y1, x2, y2]) => ({ x1, y1, x2, y2 })),
}));
const totals = (group: MadeGroup) => expectedScores(group, defaultRewardConfig).map(({ total }) => total);

let server: RewardServer;
const url = (path: string) => server.url + path;
const score = (body: unknown) => send<ScoreAnswer>(url("/v1/score"), { body });
const refuse = async (path: string, body: unknown) => {
  const answer = await send<Refused>(url(path), { body });
  return { status: answer.status, ...answer.json().error };
};

beforeAll(async () => {
  server = await startRewardServer({
    rewards: defaultRewardConfig,
    samples,
    workers: 2,
    limits: {
      bodyBytes: 2 ** 20,
      responseBoxes: 3000,
      truthBoxes: 3000,
      groupResponses: 16,
      queueGroups: 64,
      sampleSeconds: 2,
      gatherSeconds: 1,
    },
  });
});
afterAll(() => server.stop());

describe("groups", () => {
  it("earn what the library gives, by inline truth and by id", async () => {
    const inline = (await score({ groups: groups.map(requestOf) })).json();
    expect(inline.groups.map(({ group_id }) => group_id)).toEqual(groups.map(({ id }) => id));
    for (const [g, group] of groups.entries()) {
      const expected = expectedScores(group, defaultRewardConfig);
      expect(inline.groups[g]!.responses).toEqual(
        expected.map(({ matches: _matches, truePositives, ...rest }) => ({
          ...rest,
          true_positives: truePositives,
        })),
      );
    }
    const byId = await score({ groups: groups.map(({ id, responses }) => ({ sample_id: id, responses })) });
    expect(byId.json().groups.map(({ responses }) => responses)).toEqual(
      inline.groups.map(({ responses }) => responses),
    );
  });

  it("are scored in the frame that is asked for", async () => {
    const group = groups[0]!;
    const { width, height } = group;
    const thousandths = renderResponse({
      think: "people",
      look: [],
      answer: group.objects.map(({ bbox: [x1, y1, x2, y2], label }) => ({
        box: {
          x1: (1000 * x1) / width,
          y1: (1000 * y1) / height,
          x2: (1000 * x2) / width,
          y2: (1000 * y2) / height,
        },
        label,
      })),
    });
    const ask = async (frame: string) => {
      const answer = await score({ groups: [{ sample_id: group.id, frame, responses: [thousandths, "x"] }] });
      return answer.json().groups[0]!.responses[0]!.accuracy;
    };
    expect(await ask("norm1000")).toBe(1);
    expect(await ask("image")).toBeLessThan(1);
    // 640 x 480 is 644 x 476 after smart-resize: another frame, but nearly the same.
    const inModel = await score({
      groups: [{ sample_id: group.id, frame: "model", responses: group.responses }],
    });
    expect(inModel.json().groups[0]!.responses).toHaveLength(group.responses.length);
  });

  it("that cannot be scored say why, beside those that can", async () => {
    const [group] = groups;
    const answer = await score({
      groups: [
        requestOf(group!),
        { sample_id: "nobody", responses: ["a", "b"] },
        { sample_id: group!.id, responses: ["a"] },
        { sample_id: group!.id, responses: Array<string>(17).fill("a") },
        { sample_id: group!.id, responses: ["a"], without_look: true },
      ],
    });
    expect(answer.status).toBe(200);
    const { groups: scored } = answer.json();
    expect(scored.map(({ error }) => error?.code)).toEqual([
      undefined,
      "unknown-sample",
      "group-of-one",
      "limit-exceeded",
      undefined,
    ]);
    expect(scored[0]!.responses.map(({ total }) => total)).toEqual(totals(group!));
    expect(scored[4]!.responses[0]).toMatchObject({ look: null, total: 0 });
  });

  it("come in parts, and are answered once they are whole", async () => {
    const group = makeGroup(77, { responses: 5 });
    const whole = requestOf(group);
    const part = (from: number, to: number) =>
      score({ groups: [{ ...whole, group_size: 5, responses: group.responses.slice(from, to) }] });
    const answers = await Promise.all([part(0, 1), part(1, 4), part(4, 5)]);
    const all = answers.flatMap((answer) => answer.json().groups[0]!.responses.map(({ total }) => total));
    expect(all).toEqual(totals(group));
  });

  it("whose rest does not come are told so", async () => {
    const { responses, ...rest } = requestOf(groups[1]!);
    const answer = await score({ groups: [{ ...rest, group_size: 4, responses: responses.slice(0, 3) }] });
    expect(answer.json().groups[0]!.error).toMatchObject({ code: "group-incomplete" });
    expect(answer.json().groups[0]!.error!.message).toContain("3 of 4 responses");
  });
});

describe("limits", () => {
  // Everybody at nearly the same place: the matching is one dense problem, which grows with the cube of their number.
  const dense = Array.from({ length: 2900 }, (_, i) => ({
    x1: (i * 7) % 31,
    y1: (i * 13) % 29,
    x2: 900 + ((i * 11) % 37),
    y2: 900 + ((i * 5) % 41),
  }));
  const truth = {
    width: 1000,
    height: 1000,
    objects: dense.map(({ x1, y1, x2, y2 }, i) => ({
      bbox: [x1 + 1, y1, x2, y2 - ((i * 17) % 23)],
      label: "person",
    })),
  };
  const slow = renderResponse({
    think: "all",
    look: [],
    answer: dense.map((box) => ({ box, label: "person" })),
  });
  const few = renderResponse({
    think: "two",
    look: [],
    answer: dense.slice(0, 2).map((box) => ({ box, label: "person" })),
  });

  it("give a response over its time an error of its own, and others wait for nothing", async () => {
    const done: string[] = [];
    const hung = score({ groups: [{ truth, responses: [few, slow, few, "x"] }] }).then((answer) => {
      done.push("slow");
      return answer;
    });
    // The other worker is free all the while.
    for (let i = 0; i < 5; i++) expect((await score({ groups: [requestOf(groups[i]!)] })).status).toBe(200);
    done.push("quick");
    const answer = await hung;
    expect(done).toEqual(["quick", "slow"]);
    const { responses } = answer.json().groups[0]!;
    expect(responses.map(({ error }) => error?.code)).toEqual([undefined, "over-time", undefined, undefined]);
    expect(responses[1]).toMatchObject({ total: 0, error: { message: "not scored within 2 s" } });
    expect(responses[0]!.true_positives).toBe(2);
    expect(responses[2]).toEqual(responses[0]);
    expect(server.metrics.text()).toMatch(/dip_r1_worker_restarts_total\{reason="over-time"\} [12]\n/);
    // Both workers are there again.
    expect(
      (await score({ groups: groups.map(requestOf) }))
        .json()
        .groups.every(({ error }) => error === undefined),
    ).toBe(true);
  });

  it("give a response of too many boxes an error of its own", async () => {
    const boxes = Array.from({ length: 3100 }, (_, i) => [i % 600, i % 400, (i % 600) + 9, (i % 400) + 9]);
    const spam = `<think>t</think><look>[]</look><answer>${JSON.stringify(boxes)}</answer>`;
    const [group] = groups;
    const answer = await score({
      groups: [{ ...requestOf(group!), responses: [...group!.responses, spam] }],
    });
    const { responses } = answer.json().groups[0]!;
    expect(responses.at(-1)).toMatchObject({
      total: 0,
      grade: "none",
      error: { code: "too-many-boxes", message: "3100 boxes in one response, at most 3000 are scored" },
    });
    // For the others it is one that found nobody.
    const without = expectedScores({ ...group!, responses: [...group!.responses, ""] }, defaultRewardConfig);
    expect(responses.slice(0, -1).map(({ total }) => total)).toEqual(
      without.slice(0, -1).map(({ total }) => total),
    );
  });

  it("refuse what is too large, with words", async () => {
    const large = "x".repeat(2 ** 20);
    expect(
      await refuse("/v1/score", { groups: [{ sample_id: "group-0", responses: [large, "y"] }] }),
    ).toMatchObject({
      status: 413,
      code: "body-too-large",
    });
    const many = Array.from({ length: 65 }, () => ({ sample_id: "group-0", responses: ["a", "b"] }));
    expect(await refuse("/v1/score", { groups: many })).toMatchObject({
      status: 413,
      code: "too-many-groups",
    });
    const crowd = { ...truth, objects: Array<unknown>(3001).fill({ bbox: [0, 0, 9, 9] }) };
    const answer = await score({ groups: [{ truth: crowd, responses: ["a", "b"] }] });
    expect(answer.json().groups[0]!.error).toMatchObject({ code: "limit-exceeded" });
  });

  it("answer 429 with Retry-After while the queue is full, and take all again afterwards", async () => {
    const fill = Array.from({ length: 40 }, (_, i) => requestOf(makeGroup(i)));
    // Both workers are held until their responses are over their time.
    const held = [1, 2].map(() => score({ groups: [{ truth, responses: [slow, few] }] }));
    await until(() => server.metrics.text().includes('dip_r1_workers{state="busy"} 2\n'));
    const taken = score({ groups: fill });
    await until(() => server.metrics.text().includes("dip_r1_groups_in_flight 42\n"));
    const refused = await send<Refused>(url("/v1/score"), { body: { groups: fill } });
    expect(refused.status).toBe(429);
    expect(refused.json().error.code).toBe("busy");
    expect(Number(refused.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect((await taken).status).toBe(200);
    for (const answer of await Promise.all(held)) expect(answer.status).toBe(200);
    expect((await score({ groups: fill })).status).toBe(200);
  });
});

describe("bad requests", () => {
  it.each([
    ["/v1/score", {}, "groups: expected array, received undefined"],
    ["/v1/score", { groups: [] }, "groups"],
    ["/v1/score", { groups: [{ responses: ["a"] }] }, "groups[0]: needs either sample_id or truth"],
    [
      "/v1/score",
      { groups: [{ truth: { width: 9, height: 9, objects: [{ bbox: [5, 0, 1, 9] }] }, responses: ["a"] }] },
      "groups[0].truth.objects[0].bbox: must be x1, y1, x2, y2",
    ],
    ["/v1/trl", { completions: ["a", "b"], id: ["group-0"] }, "id: 1 entries for 2 completions"],
    ["/v1/trl", { completions: ["a", "b"] }, "row 0: no ground truth"],
    ["/v1/trl", { completions: ["a"], solution: ["[[1,2]]"], width: [9], height: [9] }, "row 0"],
    ["/v1/verl", { solution_str: "a", ground_truth: "group-0" }, "at least 2 responses"],
    ["/v1/openrlhf", { query: ["a"], labels: ["group-0"] }, "cannot tell the response from the prompt"],
    ["/v1/trl?group_sise=4", { completions: ["a"] }, "group_sise"],
  ])("%s %j", async (path, body, words) => {
    const { status, message } = await refuse(path, body);
    expect(status).toBe(422);
    expect(message).toContain(words);
  });

  it("of the wrong kind", async () => {
    expect((await send(url("/v1/score"), { method: "GET" })).headers["allow"]).toBe("POST");
    expect((await send(url("/nothing"))).status).toBe(404);
    expect((await send(url("/v1/score"), { body: "{", headers: {} })).status).toBe(400);
    const plain = await send(url("/v1/score"), { body: {}, headers: { "content-type": "text/plain" } });
    expect(plain.status).toBe(415);
    const nan = await send<Refused>(url("/v1/score"), { body: '{"groups": [NaN]}' });
    expect(nan.json().error.hint).toContain("allow_nan=False");
  });
});

describe("clients that die", () => {
  const head = (length: number) =>
    `POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
  const gone = () => server.metrics.text().match(/dip_r1_clients_gone_total (\d+)/)?.[1] ?? "0";

  it("in the middle of a body or before the answer cost nothing", async () => {
    const before = Number(gone());
    const body = JSON.stringify({ groups: Array.from({ length: 30 }, (_, i) => requestOf(makeGroup(i))) });
    const waiting = JSON.stringify({
      groups: [{ ...requestOf(groups[2]!), group_size: 5 }],
    });
    const die = (text: string) =>
      new Promise<void>((resolve) => {
        const socket = connect(server.port, "127.0.0.1", () => {
          socket.write(text);
          setTimeout(() => socket.destroy(), 30);
        });
        socket.on("close", () => resolve());
      });
    await Promise.all([
      die(head(body.length) + body.slice(0, 1000)),
      die(head(body.length) + body),
      die(head(Buffer.byteLength(waiting)) + waiting),
    ]);
    const gauges = [
      "groups_in_flight",
      "groups_waiting",
      "gather_responses",
      "body_bytes",
      "requests_in_flight",
    ];
    // A group that a thread is at when its client dies is finished there: the thread is free a moment later.
    const left = () => gauges.filter((gauge) => !server.metrics.text().includes(`dip_r1_${gauge} 0\n`));
    await until(() => Number(gone()) >= before + 2 && server.inFlight() === 0 && left().length === 0);
    expect((await score({ groups: [requestOf(groups[0]!)] })).status).toBe(200);
    // The withdrawn part is not counted: the group of the same name begins anew.
    const part = requestOf(groups[2]!);
    const both = await Promise.all([
      score({ groups: [{ ...part, group_size: 4, responses: part.responses.slice(0, 2) }] }),
      score({ groups: [{ ...part, group_size: 4, responses: part.responses.slice(2) }] }),
    ]);
    expect(both.flatMap((answer) => answer.json().groups[0]!.responses.map(({ total }) => total))).toEqual(
      totals(groups[2]!),
    );
  });
});

describe("a token", () => {
  it("is asked for everywhere but for health", async () => {
    const locked = await startRewardServer({
      rewards: defaultRewardConfig,
      samples,
      workers: 1,
      token: "secret",
    });
    try {
      const ask = (path: string, authorization?: string) =>
        send(locked.url + path, authorization === undefined ? {} : { headers: { authorization } });
      expect((await ask("/health")).status).toBe(200);
      expect((await ask("/ready")).status).toBe(200);
      for (const path of ["/metrics", "/openapi.json", "/v1/score"]) {
        const answer = await ask(path);
        expect(answer.status).toBe(401);
        expect(answer.headers["www-authenticate"]).toBe("Bearer");
        expect((await ask(path, "Bearer wrong")).status).toBe(401);
      }
      expect((await ask("/metrics", "Bearer secret")).status).toBe(200);
      const body = { groups: [requestOf(groups[0]!)] };
      const answer = await send(`${locked.url}/v1/score`, {
        body,
        headers: { authorization: "Bearer secret" },
      });
      expect(answer.status).toBe(200);
    } finally {
      await locked.stop();
    }
  });
});

it("stays reachable while it stops: what was taken is answered, who comes then is told to come back", async () => {
  const ending = await startRewardServer({ rewards: defaultRewardConfig, workers: 1 });
  const body = JSON.stringify({ groups: [requestOf(groups[0]!)] });
  const socket = connect(ending.port, "127.0.0.1");
  let answer = "";
  socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
  const head = `POST /v1/score HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  socket.write(head + body.slice(0, 40));
  await until(() => ending.inFlight() === 1);
  const stopped = ending.stop();
  expect((await send(`${ending.url}/ready`)).status).toBe(503);
  const late = await send(`${ending.url}/v1/score`, { body });
  expect([late.status, Number(late.headers["retry-after"]) > 0]).toEqual([503, true]);
  socket.write(body.slice(40));
  await stopped;
  await until(() => socket.closed);
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  await expect(send(`${ending.url}/ready`)).rejects.toThrow(/ECONNREFUSED/);
});

it("says that an address cannot be had", async () => {
  await expect(
    startRewardServer({ rewards: defaultRewardConfig, workers: 1, port: server.port }),
  ).rejects.toThrow(/cannot listen on 127\.0\.0\.1/);
});

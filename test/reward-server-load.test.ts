/** The reward server as a process under load: nothing is lost, nothing is mixed up, nothing that was taken is dropped. */
import { Agent } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultRewardConfig } from "../src/rewards/index.js";
import { send, until } from "./support/http-client.js";
import { expectedScores, makeGroup, requestOf, type MadeGroup } from "./support/reward-groups.js";
import { startRewardProcess, type RewardProcess } from "./support/reward-process.js";

interface ScoreAnswer {
  readonly groups: readonly {
    readonly group_id: string;
    readonly responses: readonly { readonly total: number }[];
  }[];
}

const totals = (group: MadeGroup) => expectedScores(group, defaultRewardConfig).map(({ total }) => total);
const gauge = async (url: string, name: string) => {
  const { text } = await send(`${url}/metrics`);
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? NaN);
};

describe("200 clients at once", () => {
  let server: RewardProcess;
  beforeAll(async () => {
    // Little room, so that some may be sent away and have to come again.
    server = await startRewardProcess(["--max-queue", "50", "--workers", "2"]);
  });
  afterAll(async () => {
    server.signal("SIGTERM");
    await server.exited;
  });

  it("lose no request and get their own answers, while others die", async () => {
    const agent = new Agent({ keepAlive: true });
    const seconds = 4;
    const end = performance.now() + 1000 * seconds;
    let answered = 0;
    const retryAfters: number[] = [];
    const client = async (index: number) => {
      // Each asks about pictures of its own, so an answer of another's would show.
      for (let round = 0; round === 0 || performance.now() < end; round++) {
        const group = makeGroup(1000 * index + round);
        const expected = totals(group);
        for (;;) {
          const answer = await send<ScoreAnswer>(`${server.url}/v1/score`, {
            body: { groups: [requestOf(group)] },
            agent,
          });
          if (answer.status === 429) {
            retryAfters.push(Number(answer.headers["retry-after"]));
            await sleep(10 + (index % 50));
            continue;
          }
          expect(answer.status).toBe(200);
          const [scored] = answer.json().groups;
          expect(scored!.group_id).toBe(group.id);
          expect(scored!.responses.map(({ total }) => total)).toEqual(expected);
          answered++;
          break;
        }
      }
    };
    const dying = async (index: number) => {
      while (performance.now() < end) {
        const body = JSON.stringify({ groups: [requestOf(makeGroup(index))] });
        const socket = connect(server.port, "127.0.0.1");
        socket.on("error", () => undefined);
        socket.write(
          `POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
        );
        socket.write(index % 2 === 0 ? body : body.slice(0, 50));
        await sleep(index % 7);
        socket.destroy();
        await sleep(100);
      }
    };
    await Promise.all([
      ...Array.from({ length: 200 }, (_, i) => client(i)),
      ...Array.from({ length: 10 }, (_, i) => dying(i)),
    ]);
    agent.destroy();
    expect(answered).toBeGreaterThanOrEqual(200);
    expect(retryAfters.filter((seconds) => !(seconds > 0))).toEqual([]);
    await until(async () => (await gauge(server.url, "dip_r1_groups_in_flight")) === 0);
    for (const name of ["dip_r1_groups_waiting", "dip_r1_body_bytes"])
      expect(await gauge(server.url, name)).toBe(0);
    const { text } = await send(`${server.url}/metrics`);
    expect(Number(/path="\/v1\/score",status="200"\} (\d+)/.exec(text)![1])).toBeGreaterThanOrEqual(answered);
    expect(text).not.toMatch(/status="5\d\d"/);
  });
});

it("SIGTERM under load loses nothing that was taken", async () => {
  const server = await startRewardProcess(["--workers", "2"]);
  const requests = Array.from({ length: 40 }, (_, r) =>
    Array.from({ length: 6 }, (_unused, g) => makeGroup(100 * r + g)),
  );
  const url = `${server.url}/v1/score`;
  const parted = makeGroup(9999, { responses: 4 });
  const part = (from: number, to: number) =>
    send<ScoreAnswer>(url, {
      body: {
        groups: [{ ...requestOf(parted), group_size: 4, responses: parted.responses.slice(from, to) }],
      },
    });
  const answers = requests.map((groups) =>
    send<ScoreAnswer>(url, { body: { groups: groups.map(requestOf) } }),
  );
  const firstPart = part(0, 3);
  // All are taken, most of them wait for a worker.
  await until(async () => (await gauge(server.url, "dip_r1_gather_responses")) === 3);
  await until(async () => {
    const { text } = await send(`${server.url}/metrics`);
    const done = Number(/path="\/v1\/score",status="200"\} (\d+)/.exec(text)?.[1] ?? 0);
    // The request for the metrics is in flight too.
    return done + Number(/^dip_r1_requests_in_flight (\d+)$/m.exec(text)?.[1]) - 1 === requests.length + 1;
  });
  server.signal("SIGTERM");
  await until(() => server.said().includes("SIGTERM"));
  expect((await send(`${server.url}/ready`)).status).toBe(503);
  // New requests are not taken; the rest of a group that was taken is.
  const late = await send(url, { body: { groups: [requestOf(makeGroup(1))] } });
  expect(late.status).toBe(503);
  expect(Number(late.headers["retry-after"])).toBeGreaterThan(0);
  const secondPart = part(3, 4);
  const parts = await Promise.all([firstPart, secondPart]);
  expect(parts.flatMap((answer) => answer.json().groups[0]!.responses.map(({ total }) => total))).toEqual(
    totals(parted),
  );
  for (const [r, answer] of (await Promise.all(answers)).entries()) {
    expect(answer.status).toBe(200);
    expect(answer.json().groups.map(({ responses }) => responses.map(({ total }) => total))).toEqual(
      requests[r]!.map(totals),
    );
  }
  expect(await server.exited).toBe(0);
  await expect(send(`${server.url}/health`)).rejects.toThrow(/ECONNREFUSED/);
});

/**
 * @file `bench studio`: how long a run of 100,000 rollouts takes to open, and how many frames a second the page draws while
 * the pointer goes over curves of 10,000 points and zooms in and out of them.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { findChromium, launchBrowser, openPage } from "../test/e2e/support/browser.js";
import { makeLargeRun } from "./studio-runs.js";

const CLI = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

/** Options of {@link benchStudio}. */
export interface BenchStudioOptions {
  readonly rollouts: number;
  readonly points: number;
  /** Frames to look at. */
  readonly frames: number;
}

/** A studio of the built package, with nothing read yet. */
async function startStudio(folder: string): Promise<{ url: string; stop(): void }> {
  const child = spawn(process.execPath, [CLI, "studio", folder, "--port", "0", "--no-open"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  const url = await new Promise<string>((resolve, reject) => {
    let said = "";
    const listen = (chunk: Buffer) => {
      said += chunk.toString();
      const [found] = /http:\/\/\S+/.exec(said) ?? [];
      if (found !== undefined) resolve(found.endsWith("/") ? found : `${found}/`);
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.on("exit", (code) => reject(new Error(`the studio ended (${code}): ${said}`)));
  });
  return { url, stop: () => child.kill("SIGKILL") };
}

async function benchRequests(url: string): Promise<void> {
  const run = `${url}api/runs/rollouts`;
  const requests: readonly (readonly [name: string, address: string])[] = [
    ["the list of runs", `${url}api/runs`],
    ["the run", run],
    ["all its metrics", `${run}/metrics`],
    ["the first page of groups, index included", `${run}/groups`],
    ["another page, filtered and sorted", `${run}/groups?minReward=1&sort=-spread&offset=100`],
  ];
  for (const [name, address] of requests) {
    const start = performance.now();
    const bytes = (await (await fetch(address)).arrayBuffer()).byteLength;
    const seconds = (performance.now() - start) / 1000;
    console.log(
      `  ${name.padEnd(46)} ${seconds.toFixed(2).padStart(6)} s  ${(bytes / 1e3).toFixed(0).padStart(6)} kB`,
    );
  }
}

/** From a click in the list of runs to the curves, and to the groups: each with a server that has read no rollout yet. */
async function benchOpening(folder: string): Promise<void> {
  const browser = await launchBrowser();
  const views = [
    ["curves drawn", "#/run/rollouts", "[data-chart=reward] canvas"],
    ["groups listed", "#/run/rollouts?tab=groups", "table tbody tr"],
  ] as const;
  for (const [name, hash, selector] of views) {
    const { url, stop } = await startStudio(folder);
    const { page } = await openPage(browser, url);
    await page.locator("a[href^='#/run/rollouts']").first().waitFor();
    const start = performance.now();
    await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
    await page.locator(selector).first().waitFor();
    console.log(`  ${name.padEnd(46)} ${((performance.now() - start) / 1000).toFixed(2).padStart(6)} s`);
    await page.context().close();
    stop();
  }
  await browser.close();
}

/** Milliseconds between frames while `act`, as text of a function of the frame's number, is called in each of them. */
function framesOf(page: Page, act: string, frames: number): Promise<number[]> {
  return page.evaluate(`new Promise((resolve) => {
    const act = ${act}, times = [];
    const frame = (time) => {
      times.push(time);
      if (times.length > ${frames}) return resolve(times.slice(1).map((one, i) => one - times[i]));
      act(times.length);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  })`);
}

/** Events as a hand makes them, on the first chart; the others follow it. */
const POINTER = `(type, share) => {
  const over = document.querySelector("[data-chart=reward] .u-over");
  const { left, top, width } = over.getBoundingClientRect();
  const target = type === "mouseup" ? document : over;
  target.dispatchEvent(new MouseEvent(type, { bubbles: true, clientX: left + share * width, clientY: top + 40, buttons: type === "mouseup" ? 0 : 1 }));
}`;

async function benchFrames(url: string, points: number, frames: number): Promise<void> {
  const browser = await launchBrowser();
  const { page } = await openPage(browser, `${url}#/run/curves`, { height: 1200 });
  await page.locator("[data-chart=reward] canvas").waitFor();
  await page.waitForTimeout(1000);
  const shown = await page.locator("[data-chart] canvas").count();
  console.log(`curves of ${points} points, ${shown} charts drawn, ${frames} frames each:`);
  const acts: readonly (readonly [name: string, act: string])[] = [
    ["nothing", "() => {}"],
    ["the pointer moves", `(i) => (${POINTER})("mousemove", (i % 100) / 100)`],
    [
      "zooms in, and out, every tenth frame",
      `(i) => {
        const at = ${POINTER};
        if (i % 20 === 0) { at("mousedown", 0.3); at("mousemove", 0.7); at("mouseup", 0.7); }
        if (i % 20 === 10) document.querySelector("[data-chart=reward] .u-over").dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
      }`,
    ],
  ];
  for (const [name, act] of acts) {
    const times = (await framesOf(page, act, frames)).sort((a, b) => a - b);
    const total = times.reduce((sum, time) => sum + time, 0);
    const late = times.filter((time) => time > 20).length;
    console.log(
      `  ${name.padEnd(46)} ${((1000 * times.length) / total).toFixed(1).padStart(6)} frames/s, ${late} of ${times.length} late, the longest ${times.at(-1)!.toFixed(0)} ms`,
    );
  }
  await browser.close();
}

/** Prints everything. Needs the built package (`npm run build`) and chromium. */
export async function benchStudio({ rollouts, points, frames }: BenchStudioOptions): Promise<void> {
  console.log(`${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, Node ${process.version}`);
  const folder = mkdtempSync(join(tmpdir(), "dip-r1-studio-"));
  try {
    await makeLargeRun(join(folder, "rollouts"), { steps: Math.ceil(rollouts / 64), rollouts });
    console.log(`a run of ${rollouts} rollouts, from the start of the server:`);
    const studio = await startStudio(folder);
    await benchRequests(studio.url);
    studio.stop();
    if (findChromium() === undefined) {
      console.log("no chromium: what the page takes was not measured");
      return;
    }
    await benchOpening(folder);
    await makeLargeRun(join(folder, "curves"), { steps: points, rollouts: 64 });
    const again = await startStudio(folder);
    await benchFrames(again.url, points, frames);
    again.stop();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

import { describe, expect, it } from "vitest";
import { createLogger } from "./logger.js";

function collect(isTTY: boolean, columns = 80) {
  const written: string[] = [];
  return { written, stream: { isTTY, columns, write: (text: string) => written.push(text) } };
}

describe("createLogger", () => {
  it("writes progress as plain lines at intervals without a terminal, the last one always", () => {
    const { written, stream } = collect(false);
    let time = 0;
    const logger = createLogger({ stream, plainInterval: 10, now: () => time });
    for (time = 0; time <= 12_000; time += 4000) logger.progress(`t=${time}`);
    logger.progress("last");
    logger.endProgress();
    expect(written).toEqual(["t=0\n", "t=12000\n", "last\n"]);
  });

  it("redraws the live line under messages on a terminal and cuts it to the width", () => {
    const { written, stream } = collect(true, 11);
    const logger = createLogger({ stream });
    logger.progress("\u001b[32mabcdefghij\u001b[39mklm");
    logger.info("message");
    const all = written.join("");
    expect(all).toContain("message\n");
    expect(all).not.toContain("k");
    expect(all.endsWith("j\u001b[39m\u001b[0m")).toBe(true);
  });

  it("shows a warning once and honours the level", () => {
    const { written, stream } = collect(false);
    const logger = createLogger({ stream, level: "warn" });
    logger.info("no");
    logger.progress("no");
    logger.warn("yes");
    logger.warn("yes");
    expect(written).toEqual(["warning: yes\n"]);
  });
});

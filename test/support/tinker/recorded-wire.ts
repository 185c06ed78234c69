/** @file Requests and answers recorded from real SkyRL servers (test/fixtures/skyrl/README.md). */
import { readFileSync } from "node:fs";

/** One recorded pair. */
export interface RecordedExchange {
  /** Which server: protobuf (0.4.0), the same after a restart, or the JSON of the repository. */
  readonly mode: "skyrl-0.4.0" | "after-restart" | "json-mode";
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** Base64. */
  readonly body?: string;
  readonly bodyDecoded?: unknown;
  readonly answer: {
    readonly status: number;
    readonly contentType: string;
    readonly json?: unknown;
    readonly text?: string;
    /** Base64. */
    readonly body?: string;
    /** As Python's protobuf read it. */
    readonly decoded?: unknown;
  };
}

/** All of them. */
export const recordedWire: readonly RecordedExchange[] = readFileSync(
  new URL("../../fixtures/skyrl/wire.jsonl", import.meta.url),
  "utf8",
)
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as RecordedExchange);

/** The one of this name. */
export function recorded(name: string, mode: RecordedExchange["mode"] = "skyrl-0.4.0"): RecordedExchange {
  const found = recordedWire.find((one) => one.name === name && one.mode === mode);
  if (found === undefined) throw new Error(`nothing recorded as ${name}`);
  return found;
}

/** Bytes of base64. */
export function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}

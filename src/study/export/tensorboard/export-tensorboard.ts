/** @file `dip-r1 export tensorboard`: a run as an event file, once or as long as it grows. */
import { appendFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError, writeFileAtomic } from "../../../base/index.js";
import { readRunRecord } from "../run-record.js";
import { encodeEvent, encodeFileVersion } from "./event-proto.js";
import { createRunEvents, type RunEventsOptions } from "./run-events.js";
import { tfRecord } from "./tf-record.js";

/** Options of {@link exportTensorBoard}. */
export interface TensorBoardExportOptions extends RunEventsOptions {
  /** Folder of the event file. @default tensorboard/ in the run's folder */
  readonly out?: string;
  /**
   * Goes on until the run has ended: called after each look at the run, it resolves when it is time for the next one, to
   * true, or to false to end at once.
   */
  readonly follow?: () => Promise<boolean>;
}

/** What was written. */
export interface TensorBoardExport {
  /** The event file. */
  readonly path: string;
  readonly events: number;
}

/** The event file's name: the same for the same run, so that a second export replaces the first. */
export function eventFileName(started: number): string {
  return `events.out.tfevents.${Math.floor(started)}.dip-r1`;
}

/** @throws InputError where another run's events would be mixed with these. */
async function checkFolder(out: string, name: string): Promise<void> {
  const names = await readdir(out).catch(() => []);
  const other = names.find((one) => one.includes("tfevents") && one !== name);
  if (other !== undefined)
    throw new InputError(`${out} holds events of another run: ${other}`, {
      hint: "TensorBoard would mix the two: choose another folder by --out.",
    });
}

/**
 * Writes a run's event file, whole or not at all; where it is followed, events are appended to it, record by record.
 * @throws InputError where the folder is no run, has no metrics, or `out` holds another run's events.
 * @example await exportTensorBoard("runs/start"); // tensorboard --logdir runs
 */
export async function exportTensorBoard(
  run: string,
  options: TensorBoardExportOptions = {},
): Promise<TensorBoardExport> {
  const { out = join(run, "tensorboard"), follow, ...choices } = options;
  const read = () => readRunRecord(run, { allowEmpty: follow !== undefined });
  const events = createRunEvents(run, choices);
  let record = await read();
  const path = join(out, eventFileName(record.started));
  await checkFolder(out, eventFileName(record.started));
  let count = 0;
  const encodeNew = async (): Promise<Buffer[]> => {
    const records: Buffer[] = [];
    for await (const event of events.next(record)) records.push(tfRecord(encodeEvent(event)));
    count += records.length;
    return records;
  };
  const version = tfRecord(encodeFileVersion(record.started));
  await writeFileAtomic(path, Buffer.concat([version, ...(await encodeNew())]));
  while (follow !== undefined && record.manifest.state === "running" && (await follow())) {
    record = await read();
    const records = await encodeNew();
    if (records.length > 0) await appendFile(path, Buffer.concat(records));
  }
  return { path, events: count };
}

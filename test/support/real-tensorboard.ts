/** @file The real TensorBoard (PyPI), where a Python has it: reads event files back. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What TensorBoard found in a folder. */
export interface TensorBoardReadback {
  readonly version: string;
  readonly scalars: Readonly<
    Record<string, readonly (readonly [step: number, time: number, value: number])[]>
  >;
  readonly texts: Readonly<Record<string, readonly (readonly [step: number, text: string])[]>>;
  readonly images: Readonly<
    Record<string, readonly (readonly [step: number, width: number, height: number, sha256: string])[]>
  >;
  readonly hparams: Readonly<Record<string, string | number | boolean>>;
  readonly started: number;
  /** 1 success, 2 failure; null where the session has not ended. */
  readonly status: number | null;
}

/** A Python that has TensorBoard: DIP_TENSORBOARD_PYTHON, else python3; nothing where neither has it. */
export function tensorBoardPython(): string | undefined {
  return [process.env["DIP_TENSORBOARD_PYTHON"], "python3"].find((python) => {
    if (python === undefined || python === "") return false;
    try {
      execFileSync(python, ["-c", "import tensorboard.backend.event_processing.event_accumulator"], {
        stdio: "ignore",
      });
      return true;
    } catch {
      return false;
    }
  });
}

/** Reads a folder of event files with the real TensorBoard. */
export function readWithTensorBoard(python: string, folder: string): TensorBoardReadback {
  const script = fileURLToPath(new URL("../../scripts/read_tensorboard.py", import.meta.url));
  const text = execFileSync(python, [script, folder], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 2 ** 28,
  });
  return JSON.parse(text) as TensorBoardReadback;
}

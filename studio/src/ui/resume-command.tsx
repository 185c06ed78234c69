/** @file The command that goes on with a run. */
import type { RunDetail, RunId } from "../../../src/server/studio/api.js";
import { api } from "../api.js";
import { Command, shellQuote } from "./command.js";
import { useData } from "./use-data.js";

/** @param runs The folder of runs, as `dip-r1 studio` was given it. */
export function resumeCommand({ id, source }: Pick<RunDetail, "id" | "source">, runs: string): string {
  const out = id === "" || id === "." ? runs : `${runs.replace(/\/$/, "")}/${id}`;
  return [
    "dip-r1 train",
    shellQuote(source.path),
    ...source.set.map((pair) => `--set ${shellQuote(pair)}`),
    `--out ${shellQuote(out)}`,
    "--resume",
  ].join(" ");
}

/** Asks for what the command needs, and shows it. */
export function ResumeCommand({ id }: { readonly id: RunId }) {
  const run = useData(`resume ${id}`, (signal) => api.run(id, signal));
  const studio = useData("studio", (signal) => api.studio(signal));
  if (!run.data || !studio.data) return null;
  return <Command>{resumeCommand(run.data, studio.data.runs)}</Command>;
}

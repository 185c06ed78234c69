export { exitCodes, type CliContext } from "./context.js";
export { createProgram, runCli } from "./program.js";

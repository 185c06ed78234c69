/** @file The command line as a library: the program of all commands, and what it is run with. */
export { exitCodes, type CliContext } from "./context.js";
export { createProgram, runCli } from "./program.js";

#!/usr/bin/env node
/** @file The `dip-r1` command. */
import { runCli } from "./program.js";

// A reader that has seen enough (`dip-r1 ... | head`) closes the pipe: that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

process.exitCode = await runCli(process.argv.slice(2));

/**
 * @file Property tests draw the same cases in every run, so that a red suite is the change's doing and can be had again.
 * `FAST_CHECK_SEED=7 npx vitest run` draws others.
 */
import fc from "fast-check";

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env["FAST_CHECK_SEED"] ?? 2505) });

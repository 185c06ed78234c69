import { defineConfig } from "vitest/config";

/** Layers of plain functions: their test files share a process, which halves the time they take. */
const pure = ["geometry", "response", "rewards", "metrics", "rl"].map((layer) => `src/${layer}/**/*.test.ts`);

export default defineConfig({
  test: {
    pool: "forks",
    // All cores: the default leaves one free, which on a machine of two is half of it.
    maxWorkers: "100%",
    // Far above what any test takes: a busy machine must not fail one.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Where CI is set, picocolors colours pipes too; tests read what people's pipes get.
    env: { NO_COLOR: "1" },
    projects: [
      {
        extends: true,
        test: {
          name: "pure",
          include: pure,
          isolate: false,
          setupFiles: ["test/support/fixed-seed.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "whole",
          include: ["src/**/*.test.ts", "test/**/*.test.ts", "studio/src/**/*.test.{ts,tsx}"],
          // Those in a browser are run by `npm run test:e2e`.
          exclude: [...pure, "test/e2e/**"],
          setupFiles: ["test/support/fixed-seed.ts"],
        },
      },
    ],
  },
});

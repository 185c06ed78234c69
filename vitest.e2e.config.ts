import { defineConfig } from "vitest/config";

/** `npm run test:e2e`: the studio in a real browser, apart from the suite that needs none. */
export default defineConfig({
  test: {
    pool: "forks",
    include: ["test/e2e/**/*.test.ts"],
    // Builds the page, records nothing: it serves a recorded run and one that trains meanwhile (support/set-up.ts).
    globalSetup: ["test/e2e/support/set-up.ts"],
    // Far above what any test takes: a busy machine must not fail one.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // One browser at a time: two cores hold the browser, the server and a training run.
    fileParallelism: false,
    env: { NO_COLOR: "1" },
  },
});

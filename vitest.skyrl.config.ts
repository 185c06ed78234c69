import { defineConfig } from "vitest/config";

/** `npm run test:skyrl`: tests that need a real SkyRL server, apart from the suite that needs nothing. */
export default defineConfig({
  test: {
    pool: "forks",
    include: ["test/skyrl/**/*.skyrl.ts"],
    // The server compiles for every new shape.
    testTimeout: 1_200_000,
    hookTimeout: 600_000,
    fileParallelism: false,
    env: { NO_COLOR: "1" },
  },
});

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { filled, rewardsPage } from "../scripts/rewards-tables.js";

it("docs/rewards.md says what the code computes (npx tsx scripts/rewards-tables.ts writes it anew)", () => {
  const page = readFileSync(rewardsPage, "utf8");
  expect(page).toBe(filled(page));
});

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { packageRoot } from "../src/base/index.js";

const docs = join(packageRoot, "docs");
const pages = readdirSync(docs).filter((name) => name.endsWith(".md"));

it.each(pages)("every file that docs/%s names is there", (page) => {
  const text = readFileSync(join(docs, page), "utf8");
  // Names in capitals stand for what the reader will choose.
  const named = [
    ...text.matchAll(/`((?:src|test|scripts|examples|recipes|bench|docs|models)\/[a-z0-9_./-]+)`/g),
  ];
  const linked = [...text.matchAll(/\]\(([a-z-]+\.md)/g)].map(([, name]) => `docs/${name}`);
  const paths = [...named.map(([, path]) => path!), ...linked];
  expect(paths.filter((path) => !existsSync(join(packageRoot, path)))).toEqual([]);
});

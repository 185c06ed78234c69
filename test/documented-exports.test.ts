/** Every export says what it is: a comment stands before each, so that editors and generated pages have words for all of them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";
import { packageRoot } from "../src/base/index.js";

const sources = readdirSync(join(packageRoot, "src"), { recursive: true, encoding: "utf8" }).filter(
  (name) => name.endsWith(".ts") && !/\.test\.ts$|\.d\.ts$/.test(name),
);

/** Names of exported declarations without a JSDoc comment; `export { x } from` has its words where x is declared. */
function undocumented(text: string): string[] {
  const file = ts.createSourceFile("file.ts", text, ts.ScriptTarget.Latest, true);
  const documented = new Set<string>();
  const bare: string[] = [];
  for (const statement of file.statements) {
    const flags = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    if (!flags.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) continue;
    const names = ts.isVariableStatement(statement)
      ? statement.declarationList.declarations.map(({ name }) => name.getText(file))
      : [(statement as ts.DeclarationStatement).name?.getText(file) ?? "default"];
    // A type named after the table of constants above it, and overloads, share its words.
    const said = ts.getJSDocCommentsAndTags(statement).length > 0;
    for (const name of names) {
      if (said) documented.add(name);
      else if (!documented.has(name)) bare.push(name);
    }
  }
  return bare;
}

it("sees an export without words", () => {
  expect(
    undocumented("/** One. */\nexport const a = 1;\nexport const b = 2;\nexport function c() {}\n"),
  ).toEqual(["b", "c"]);
});

it("finds none in src/", () => {
  expect(sources.length).toBeGreaterThan(100);
  const found = sources.flatMap((name) =>
    undocumented(readFileSync(join(packageRoot, "src", name), "utf8")).map((what) => `src/${name}: ${what}`),
  );
  expect(found).toEqual([]);
});

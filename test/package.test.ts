/**
 * The package as its users get it: built into a folder of its own, imported by another folder from every entry point,
 * type-checked there, linted by publint, packed without sources and tests.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatMessage } from "publint/utils";
import { publint } from "publint";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../src/base/index.js";

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}

const manifest = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as Manifest;
/** `dip-r1`, `dip-r1/rewards`, ... */
const entries = Object.keys(manifest.exports)
  .filter((key) => key !== "./package.json")
  .map((key) => `dip-r1${key.slice(1)}`);

let folder: string;
/** The built package. */
let built: string;
/** A program that depends on it. */
let consumer: string;

/** Compiles as `npm run build` does, into `built`. */
function build(): void {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(packageRoot, "tsconfig.build.json"),
    { outDir: join(built, "dist") },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (d) => expect.fail(String(d.messageText)) },
  );
  if (config === undefined) throw new Error("tsconfig.build.json cannot be read");
  ts.createProgram(config.fileNames, config.options).emit();
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dip-r1-package-"));
  built = join(folder, "package");
  consumer = join(folder, "consumer");
  mkdirSync(join(consumer, "node_modules"), { recursive: true });
  mkdirSync(built);
  build();
  for (const part of [
    "package.json",
    "LICENSE",
    "README.md",
    "recipes",
    "integrations",
    "models",
    "src",
    "test/support",
  ]) {
    const from = join(packageRoot, part);
    if (existsSync(from)) cpSync(from, join(built, part), { recursive: true });
  }
  symlinkSync(join(packageRoot, "node_modules"), join(built, "node_modules"));
  symlinkSync(built, join(consumer, "node_modules", "dip-r1"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Loaded {
  readonly names: readonly string[];
  readonly native: readonly string[];
}
const loaded = new Map<string, Loaded>();

/** Imports an entry point in a fresh Node, once: what it exports, and which native libraries that loaded. */
function load(entry: string): Loaded {
  const known = loaded.get(entry);
  if (known !== undefined) return known;
  const program = `
    const native = [];
    const dlopen = process.dlopen;
    process.dlopen = function (module, file, ...rest) {
      native.push(file);
      return dlopen.call(this, module, file, ...rest);
    };
    const names = Object.keys(await import(${JSON.stringify(entry)}));
    console.log(JSON.stringify({ names, native }));
    process.exit(0);`;
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: consumer,
    encoding: "utf8",
  });
  const result = JSON.parse(out) as Loaded;
  loaded.set(entry, result);
  return result;
}

describe("the built package", () => {
  it.each(entries)("imports %s", (entry) => {
    expect(load(entry).names.length).toBeGreaterThan(0);
  });

  it.each(["base", "geometry", "response", "rewards", "metrics"])(
    "loads no native library for dip-r1/%s",
    (layer) => {
      expect(load(`dip-r1/${layer}`).native).toEqual([]);
    },
  );

  // The counterpart: had the check been blind, these would show it.
  it.each([
    ["datasets", /sharp/],
    ["tensor", /onnxruntime/],
  ])("sees the native library of dip-r1/%s", (layer, library) => {
    expect(load(`dip-r1/${layer}`).native.join()).toMatch(library);
  });

  it("scores a group from outside", () => {
    const program = `
      import { parseResponse } from "dip-r1/response";
      import { scoreGroup } from "dip-r1/rewards";
      const size = { width: 100, height: 100 };
      const text = '<think>1.</think><look>[]</look><answer>[{"bbox_2d":[0,0,10,10],"label":"person"}]</answer>';
      const truth = { size, objects: [{ box: { x1: 0, y1: 0, x2: 10, y2: 10 }, label: "person" }], ignore: [] };
      const responses = [text, text].map((t) => parseResponse(t, size));
      console.log(scoreGroup(truth, responses).responses[0].total);`;
    const out = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
      cwd: consumer,
      encoding: "utf8",
    });
    expect(Number(out)).toBe(2);
  });

  it("gives its types to a program outside", () => {
    const file = join(consumer, "main.ts");
    const source = [
      ...entries.map((entry, i) => `import * as entry${i} from "${entry}";\nvoid entry${i};`),
      `import { scoreGroup, type RewardConfig } from "dip-r1";`,
      `const wrong: RewardConfig = "a text";`,
      `void scoreGroup; void wrong;`,
    ].join("\n");
    const options: ts.CompilerOptions = {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      lib: ["lib.es2023.d.ts"],
      types: [],
      strict: true,
      noEmit: true,
      skipLibCheck: true,
    };
    const host = ts.createCompilerHost(options);
    const { fileExists, getSourceFile } = host;
    host.fileExists = (name) => name === file || fileExists(name);
    host.getSourceFile = (name, ...rest) =>
      name === file
        ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2022)
        : getSourceFile(name, ...rest);
    const program = ts.createProgram([file], options, host);
    const messages = ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
    // One error is there on purpose: had the types not been found, everything would be `any`.
    expect(messages).toEqual([expect.stringMatching(/'string' is not assignable to type 'RewardConfig'/)]);
  });

  it("has nothing for publint to say", async () => {
    const { messages, pkg } = await publint({ pkgDir: built, pack: false, level: "suggestion" });
    expect(messages.map((message) => formatMessage(message, pkg ?? {}))).toEqual([]);
  });

  it("packs the code, the recipes, the shims and the model, and no sources or tests", (context) => {
    const out = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: built,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [packed] = JSON.parse(out) as { files: { path: string }[] }[];
    const paths = packed!.files.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        "dist/index.js",
        "dist/index.d.ts",
        "dist/cli/main.js",
        "recipes/start.yaml",
        "integrations/dip_r1_trl.py",
      ]),
    );
    expect(
      paths.filter(
        (path) => !/^(dist|integrations|models|recipes)\/|^(package\.json|LICENSE|README\.md)$/.test(path),
      ),
    ).toEqual([]);
    expect(paths.filter((path) => /\.test\.|fixtures|support/.test(path))).toEqual([]);
    if (!existsSync(join(packageRoot, "models")) && process.env["CI"] !== "true") {
      context.skip("models/ is not here yet");
    }
    expect(paths.filter((path) => /^models\/base\/.*\.safetensors$/.test(path)).length).toBeGreaterThan(0);
  });
});

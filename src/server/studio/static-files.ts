/**
 * @file The page's files: those of dist/studio and nothing else, by a list of names made from the folder, so that no path of
 * a request ever meets the file system.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where the built page is: beside this code in dist/, or in dist/ where this code runs from src/. */
export const PAGE_FOLDERS = ["../../studio/", "../../../dist/studio/"].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/** A file as it is sent. */
export interface StaticFile {
  readonly type: string;
  readonly body: Uint8Array;
  /** Names with a hash of their content never change. */
  readonly immutable: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".woff2": "font/woff2",
  ".webmanifest": "application/manifest+json",
};

/** Sent where the page was not built. */
const UNBUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>dip-r1 studio</title>
<h1>The page has not been built</h1><p>Run <code>npm run build</code> in the package's folder, then load this again.
The API answers already: <a href="api/runs">api/runs</a>.</p></html>
`;

async function listFolder(folder: string, prefix = ""): Promise<string[]> {
  const entries = await readdir(join(folder, prefix), { withFileTypes: true }).catch(() => []);
  const lists = await Promise.all(
    entries.map((entry) => {
      const name = `${prefix}${entry.name}`;
      if (entry.isDirectory()) return listFolder(folder, `${name}/`);
      return Promise.resolve(entry.isFile() ? [name] : []);
    }),
  );
  return lists.flat();
}

/** Serves a built page. @param folders the first that holds an index.html is taken, anew after each build */
export function createStaticFiles(folders: readonly string[] = PAGE_FOLDERS) {
  let built:
    { readonly stamp: string; readonly folder: string; readonly names: ReadonlySet<string> } | undefined;
  const bodies = new Map<string, Promise<Uint8Array>>();

  async function current() {
    for (const folder of folders) {
      const index = await stat(join(folder, "index.html")).catch(() => undefined);
      if (index === undefined) continue;
      const stamp = `${folder} ${index.ino} ${index.mtimeMs}`;
      if (built?.stamp !== stamp) {
        built = { stamp, folder, names: new Set(await listFolder(folder)) };
        bodies.clear();
      }
      return built;
    }
    return undefined;
  }

  return {
    /** The file at a path of the URL, as it stands there; nothing where there is none. */
    async get(path: string): Promise<StaticFile | undefined> {
      const page = await current();
      const isIndex = path === "/" || path === "/index.html";
      if (page === undefined)
        return isIndex ? { type: TYPES[".html"]!, body: Buffer.from(UNBUILT), immutable: false } : undefined;
      const name = isIndex ? "index.html" : path.slice(1);
      if (!page.names.has(name)) return undefined;
      let body = bodies.get(name);
      if (body === undefined) bodies.set(name, (body = readFile(join(page.folder, name))));
      return {
        type: TYPES[extname(name)] ?? "application/octet-stream",
        body: await body,
        immutable: /^assets\/.*-[\w-]{8,}\.\w+$/.test(name),
      };
    },
  };
}

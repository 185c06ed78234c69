/**
 * @file Builds the page into the package's dist/studio, where `dip-r1 studio` serves it from. Everything is a file of
 * its own: the server's content security policy allows neither inline scripts nor data: addresses, nor other hosts.
 */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  // Relative, so that the page also works behind a proxy's path.
  base: "./",
  publicDir: false,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: fileURLToPath(new URL("../dist/studio", import.meta.url)),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    sourcemap: true,
    target: "es2023",
    // Every browser with es2023 preloads modules by itself.
    modulePreload: { polyfill: false },
  },
  // `npm run dev -w studio` beside a running `dip-r1 studio`: the page from vite, its data from the server.
  server: {
    proxy: {
      "/api": { target: process.env.STUDIO_API ?? "http://127.0.0.1:6071", changeOrigin: true },
    },
  },
});

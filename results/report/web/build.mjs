// Bundles the script of the report into one file: node build.mjs OUT.js
import { build } from "esbuild";

await build({
  entryPoints: [new URL("src/report.ts", import.meta.url).pathname],
  outfile: process.argv[2] ?? "report.js",
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2020",
  legalComments: "none",
  charset: "utf8",
});

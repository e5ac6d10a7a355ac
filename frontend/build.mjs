// Builds ../src/dcaweb/static: content-hashed files, and manifest.json that says which file a name stands for.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { colourRoles } from "./colours.mjs";
import { licences } from "./licences.mjs";
import { sprite } from "./sprite.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "../src/dcaweb/static");

function checkTypes() {
  const tsc = join(here, "node_modules/typescript/bin/tsc");
  const { status } = spawnSync(process.execPath, [tsc, "--noEmit"], { cwd: here, stdio: "inherit" });
  if (status !== 0) process.exit(1);
}

// `@import "roles.css"` is answered with generated text: there is no such file.
const roles = {
  name: "roles",
  setup(builder) {
    builder.onResolve({ filter: /^roles\.css$/ }, () => ({ path: "roles", namespace: "roles" }));
    builder.onLoad({ filter: /.*/, namespace: "roles" }, () => ({ contents: colourRoles(), loader: "css" }));
  },
};

async function bundle() {
  const result = await build({
    absWorkingDir: here,
    entryPoints: ["src/app.ts", "src/plot.ts", "src/app.css"],
    outdir: out,
    bundle: true,
    splitting: true,
    format: "esm",
    target: ["chrome120", "firefox121", "safari17.2"],
    minify: true,
    entryNames: "[name]-[hash]",
    chunkNames: "chunk-[hash]",
    assetNames: "[name]-[hash]",
    loader: { ".woff2": "file" },
    plugins: [roles],
    metafile: true,
    legalComments: "none", // licenses.txt has them whole
    logLevel: "warning",
  });
  const manifest = {};
  for (const [path, { entryPoint }] of Object.entries(result.metafile.outputs)) {
    const file = relative(out, join(here, path));
    if (entryPoint) manifest[basename(entryPoint).replace(/\.ts$/, ".js")] = file;
    else if (path.endsWith(".woff2")) manifest[file.replace(/-[A-Z0-9]{8}\./, ".")] = file;
  }
  return manifest;
}

function hashed(name, text) {
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 8).toUpperCase();
  const file = name.replace(/(\.\w+)$/, `-${digest}$1`);
  writeFileSync(join(out, file), text);
  return file;
}

checkTypes();
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const manifest = await bundle();
manifest["icons.svg"] = hashed("icons.svg", sprite(readFileSync(join(here, "src/icons.txt"), "utf8")));
manifest["favicon.svg"] = hashed("favicon.svg", readFileSync(join(here, "src/favicon.svg"), "utf8"));
writeFileSync(join(out, "licenses.txt"), licences(join(here, "node_modules")));
writeFileSync(join(out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);

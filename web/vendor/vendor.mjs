// Copies the console's libraries out of npm into web/console/vendor. Developers only: `node web/vendor/vendor.mjs`.
//
// The result is committed, so that installing and running Firetower needs neither Node nor a registry. Bare imports
// become relative ones: without an import map the page can forbid every inline script. The lock file names versions
// and integrity hashes, never a host, so any registry serves.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const target = join(here, "..", "console", "vendor");

const FILES = [
  { file: "preact.mjs", package: "preact", source: "dist/preact.mjs" },
  { file: "preact-hooks.mjs", package: "preact", source: "hooks/dist/hooks.mjs" },
  { file: "htm.mjs", package: "htm", source: "dist/htm.mjs" },
  { file: "signals-core.mjs", package: "@preact/signals-core", source: "dist/signals-core.mjs" },
  { file: "signals.mjs", package: "@preact/signals", source: "dist/signals.mjs" },
];

/** Many small files of a package made into one, with what it brings along; minified. */
const BUNDLES = [
  { file: "ol-console.mjs", package: "ol", source: "ol-entry.js", with: ["ol-pmtiles", "pmtiles", "fflate", "pbf", "rbush", "quickselect"] },
  { file: "uplot.mjs", package: "uplot", source: "node_modules/uplot/dist/uPlot.esm.js", with: [] },
];
const STYLES = [{ file: "uplot.css", package: "uplot", source: "dist/uPlot.min.css" }];
/** Packages that ship no licence text: it stands here, as in their repository. */
const TEXTS = join(here, "licences");

const RELATIVE = {
  "preact": "./preact.mjs",
  "preact/hooks": "./preact-hooks.mjs",
  "@preact/signals-core": "./signals-core.mjs",
};

/** Rewrites `from"x"`, `import"x"` and `import("x")` of the packages above; an unknown bare name is an error. */
function relativeImports(text, file) {
  return text.replace(/\b(from|import)(\s*\(?\s*)(["'])([^"']+)\3/g, (whole, word, gap, quote, name) => {
    if (name.startsWith("./")) return whole;
    const path = RELATIVE[name];
    if (!path) throw new Error(`${file} imports "${name}", which is not vendored: add it to RELATIVE and FILES`);
    return `${word}${gap}${quote}${path}${quote}`;
  });
}

execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: here, stdio: "inherit" });

const lock = JSON.parse(readFileSync(join(here, "package-lock.json"), "utf8"));
rmSync(target, { recursive: true, force: true });
mkdirSync(join(target, "LICENSES"), { recursive: true });

const entries = [];
function note(file, name, text, how, brings = []) {
  writeFileSync(join(target, file), text);
  const locked = lock.packages[`node_modules/${name}`];
  entries.push({
    file,
    package: name,
    version: locked.version,
    npm_integrity: locked.integrity,
    licence: locked.license,
    licence_file: licenceOf(name),
    ...(brings.length && { brings: brings.map((each) => ({ package: each, version: lock.packages[`node_modules/${each}`].version, licence_file: licenceOf(each) })) }),
    sha256: createHash("sha256").update(text).digest("hex"),
    how,
  });
}
const licenceOf = (name) => `LICENSES/${name.replace("@", "").replace("/", "-")}.txt`;

for (const { file, package: name, source } of FILES) {
  const original = readFileSync(join(modules, name, source), "utf8");
  const text = relativeImports(original, file).replace(/\/\/# sourceMappingURL=\S*\s*$/, "").trimEnd() + "\n";
  note(file, name, text, `${source}; bare imports made relative, source map line removed`);
}
/** OpenLayers measures text with an element into which it writes HTML, one letter: the page's policy allows text only. */
function withoutHtml(text) {
  const changed = text.replace(/\.innerHTML="M"/, '.textContent="M"');
  return { text: changed, changed: changed !== text };
}
const { buildSync } = await import("esbuild");
for (const { file, package: name, source, with: brings } of BUNDLES) {
  const made = buildSync({
    entryPoints: [join(here, source)],
    absWorkingDir: here,
    bundle: true,
    format: "esm",
    minify: true,
    legalComments: "none",
    target: "es2022",
    write: false,
  });
  const { text, changed } = withoutHtml(made.outputFiles[0].text);
  note(file, name, text, `${source}; bundled and minified by esbuild${changed ? "; its measuring of text writes text instead of HTML" : ""}`, brings);
}
for (const { file, package: name, source } of STYLES) {
  note(file, name, readFileSync(join(modules, name, source), "utf8"), `${source}; as it is`);
}
for (const name of new Set(entries.flatMap((entry) => [entry.package, ...(entry.brings ?? []).map((each) => each.package)]))) {
  const from = readdirSync(join(modules, name)).find((entry) => /^licen[cs]e/i.test(entry));
  const ours = join(TEXTS, `${name}.txt`);
  if (!from && !existsSync(ours)) throw new Error(`${name} ships no licence text: add licences/${name}.txt by hand`);
  writeFileSync(join(target, licenceOf(name)), readFileSync(from ? join(modules, name, from) : ours, "utf8"));
}
writeFileSync(join(target, "VENDOR.lock.json"), JSON.stringify(entries, null, 2) + "\n");
console.log(`${entries.length} files in web/console/vendor`);

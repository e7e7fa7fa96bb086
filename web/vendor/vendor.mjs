// Copies the console's libraries out of npm into web/console/vendor. Developers only: `node web/vendor/vendor.mjs`.
//
// The result is committed, so that installing and running Firetower needs neither Node nor a registry. Bare imports
// become relative ones: without an import map the page can forbid every inline script. The lock file names versions
// and integrity hashes, never a host, so any registry serves.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const target = join(here, "..", "console", "vendor");

const FILES = [
  { file: "preact.mjs", package: "preact", source: "dist/preact.mjs" },
  { file: "preact-hooks.mjs", package: "preact", source: "hooks/dist/hooks.mjs" },
  { file: "htm.mjs", package: "htm", source: "dist/htm.mjs" },
  { file: "htm-preact.mjs", package: "htm", source: "preact/index.mjs" },
  { file: "signals-core.mjs", package: "@preact/signals-core", source: "dist/signals-core.mjs" },
  { file: "signals.mjs", package: "@preact/signals", source: "dist/signals.mjs" },
];

const RELATIVE = {
  "preact": "./preact.mjs",
  "preact/hooks": "./preact-hooks.mjs",
  "htm": "./htm.mjs",
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
for (const { file, package: name, source } of FILES) {
  const locked = lock.packages[`node_modules/${name}`];
  const original = readFileSync(join(modules, name, source), "utf8");
  const text = relativeImports(original, file).replace(/\/\/# sourceMappingURL=\S*\s*$/, "").trimEnd() + "\n";
  writeFileSync(join(target, file), text);
  entries.push({
    file,
    package: name,
    version: locked.version,
    npm_integrity: locked.integrity,
    licence: locked.license,
    licence_file: `LICENSES/${name.replace("@", "").replace("/", "-")}.txt`,
    sha256: createHash("sha256").update(text).digest("hex"),
    how: `${source}; bare imports made relative, source map line removed`,
  });
}
for (const name of new Set(FILES.map((entry) => entry.package))) {
  const from = readdirSync(join(modules, name)).find((entry) => /^licen[cs]e/i.test(entry));
  if (!from) throw new Error(`${name} ships no licence text: add it by hand`);
  const { licence_file } = entries.find((entry) => entry.package === name);
  writeFileSync(join(target, licence_file), readFileSync(join(modules, name, from), "utf8"));
}
writeFileSync(join(target, "VENDOR.lock.json"), JSON.stringify(entries, null, 2) + "\n");
console.log(`${entries.length} files in web/console/vendor`);

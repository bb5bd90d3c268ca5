// Bundles entry.js into ../codemirror.js and gathers the licence of every package that went in.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const { metafile } = await build({
  entryPoints: ["entry.js"],
  outfile: "../codemirror.js",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  metafile: true,
});

const packages = new Set();
for (const path of Object.keys(metafile.inputs)) {
  const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
  if (name) packages.add(name);
}

const texts = [...packages].sort().map((name) => {
  const folder = `node_modules/${name}`;
  const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (license !== "MIT" || !file) throw new Error(`${name}: expected an MIT licence file, found ${license}`);
  return `${name} ${version} (MIT)\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
});
const heading = "codemirror.js is a bundle of these packages, each under the MIT licence that follows its name.\n";
writeFileSync("../LICENSES.txt", [heading, ...texts].join(`\n${"-".repeat(80)}\n\n`));
console.log(`${packages.size} packages`);

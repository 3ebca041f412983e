/**
 * node judge-sbom.ts FOLDER SBOM: whether an SBOM is valid CycloneDX, lists what the lock file has for
 * production and what is part of the build, and holds only licences that MIT-licensed software may be shipped with. The validator
 * and the reader of licence expressions are installed in FOLDER.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

/** Permissive all of them: they ask for their notices, which each package brings along. */
const ALLOWED = [
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "ISC",
  "MIT",
  "PSF-2.0",
  "Python-2.0",
  "Unlicense",
];

interface Component {
  name: string;
  version: string;
  purl: string;
  licenses?: ({ license: { id?: string; name?: string } } | { expression: string })[];
}

interface Lock {
  packages: Record<string, { version: string; dev?: boolean; devOptional?: boolean; optional?: boolean }>;
}

const [tools = "", file = ""] = process.argv.slice(2);
const required = createRequire(resolve(tools, "package.json"));
const satisfies: (expression: string, allowed: readonly string[]) => boolean = required("spdx-satisfies");
const { Spec, Validation } = required("@cyclonedx/cyclonedx-library");

const text = readFileSync(file, "utf8");
const faults: string[] = [];

const invalid = await new Validation.JsonStrictValidator(Spec.Version.v1dot5).validate(text);
if (invalid !== null) faults.push(`not valid CycloneDX 1.5: ${JSON.stringify(invalid)}`);

const { metadata, components = [] } = JSON.parse(text) as {
  metadata: { component: Component };
  components?: Component[];
};
const { name, version } = JSON.parse(readFileSync("package.json", "utf8"));
if (metadata.component.purl !== `pkg:npm/${name}@${version}`)
  faults.push(`it is of ${metadata.component.purl}`);

const { packages } = JSON.parse(readFileSync(join("package-lock.json"), "utf8")) as Lock;
const listed = new Set(components.map((component) => `${component.name}@${component.version}`));
for (const [path, { version, dev, devOptional, optional }] of Object.entries(packages)) {
  if (path === "" || dev || devOptional || optional) continue;
  const wanted = `${path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)}@${version}`;
  if (!listed.has(wanted)) faults.push(`${wanted} is not listed`);
}

// What is part of the build is installed with it, though npm does not know.
for (const [, wanted = ""] of readFileSync(join("dist", "third-party.md"), "utf8").matchAll(/^## (.+)$/gm))
  if (!listed.has(wanted)) faults.push(`${wanted}, which is part of the build, is not listed`);

const counts = new Map<string, number>();
for (const { name, version, licenses = [] } of components) {
  const said = licenses.map((one) => ("expression" in one ? one.expression : (one.license.id ?? "")));
  // One that does not say, or in words of its own, is unknown.
  const known = said.length > 0 && said.every((expression) => isAllowed(expression));
  if (!known)
    faults.push(`${name}@${version}: ${JSON.stringify(licenses)} is not among the allowed licences`);
  for (const expression of said) counts.set(expression, (counts.get(expression) ?? 0) + 1);
}

function isAllowed(expression: string): boolean {
  try {
    return satisfies(expression, ALLOWED);
  } catch {
    return false;
  }
}

for (const fault of faults) console.log(fault);
const sorted = [...counts].sort(([, a], [, b]) => b - a).map(([licence, count]) => `${licence} ${count}`);
console.log(`${components.length} packages: ${sorted.join(", ")}`);
process.exitCode = faults.length === 0 ? 0 : 1;

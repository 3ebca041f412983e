import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plugin } from "rolldown";

/**
 * Writes dist/third-party.md: every package that is part of the build, with its version and the
 * notice that its licence asks for. Throws for one that brings none.
 */
export function thirdParty(): Plugin {
  return {
    name: "third-party",
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
      const folders = new Set(modules.map(packageFolder).filter((folder) => folder !== undefined));
      this.emitFile({ type: "asset", fileName: "third-party.md", source: page([...folders].map(read)) });
    },
  };
}

interface Part {
  name: string;
  version: string;
  license: string;
  notice: string;
}

/** The folder of the package that a module belongs to; undefined for our own. */
function packageFolder(module: string): string | undefined {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(module)?.[0];
}

function read(folder: string): Part {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
  if (file === undefined) throw new Error(`${name} ${version} has no licence file in ${dirname(folder)}`);
  return { name, version, license, notice: readFileSync(join(folder, file), "utf8").trim() };
}

function page(parts: readonly Part[]): string {
  const sorted = parts.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return [
    "# What is part of keyturn's build",
    ...sorted.map(
      ({ name, version, license, notice }) =>
        `## ${name}@${version}\n\n${license}\n\n${notice.replace(/^/gm, "    ")}`,
    ),
  ]
    .join("\n\n")
    .concat("\n");
}

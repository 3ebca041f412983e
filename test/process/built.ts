import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const BUILDS = join(ROOT, "node_modules/.cache/builds");
/** What the program reads of its package. */
const PACKAGE = ["package.json", "rotation.yaml", "config"];

let building: Promise<string> | undefined;

/**
 * The built command: dist/cli.js of a package of its own, built once for a test file that has called
 * `removeBuildAtEnd`, so that no other build replaces it meanwhile.
 */
export function builtCommand(): Promise<string> {
  building ??= build();
  return building;
}

/** To be called where a test file begins. */
export function removeBuildAtEnd(): void {
  afterAll(async () => {
    if (building) rmSync(join(await building, "../.."), { recursive: true, force: true });
    building = undefined;
  });
}

async function build(): Promise<string> {
  mkdirSync(BUILDS, { recursive: true });
  const folder = mkdtempSync(join(BUILDS, "build-"));
  for (const name of PACKAGE) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  const rolldown = join(ROOT, "node_modules/.bin/rolldown");
  const options = ["--config", "rolldown.config.ts", "--dir", join(folder, "dist")];
  await promisify(execFile)(rolldown, options, { cwd: ROOT });
  return join(folder, "dist/cli.js");
}

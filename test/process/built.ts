import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
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
 * `removeBuildAtEnd`, so that no other build replaces it meanwhile. Types are another check's concern.
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
  const tsc = join(ROOT, "node_modules/.bin/tsc");
  const command = join(folder, "dist/cli.js");
  await promisify(execFile)(tsc, [
    "-p",
    join(ROOT, "tsconfig.build.json"),
    "--outDir",
    join(folder, "dist"),
  ]).catch((failed: unknown) => {
    if (!existsSync(command)) throw failed;
  });
  return command;
}

import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const ROOT = join(import.meta.dirname, "../..");
const BUILDS = join(ROOT, "node_modules/.cache/builds");
/** What the program reads of its package. */
const PACKAGE = ["package.json", "rotation.yaml", "config"];

let building: Promise<string> | undefined;

/**
 * The built command: dist/cli.js of a package of its own, built once a test run, so that no other
 * build replaces it meanwhile; it goes with this process. Types are another check's concern.
 */
export function builtCommand(): Promise<string> {
  building ??= build();
  return building;
}

async function build(): Promise<string> {
  mkdirSync(BUILDS, { recursive: true });
  const folder = mkdtempSync(join(BUILDS, "build-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
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

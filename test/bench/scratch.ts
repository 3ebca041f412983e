import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

/** Below here, modules find the packages that are installed. */
const SCRATCH = join(import.meta.dirname, "../../node_modules/.cache/bench");

/** A new folder for programs that import packages, gone when it is disposed of. */
export async function scratchFolder(name: string): Promise<AsyncDisposable & { path: string }> {
  await mkdir(SCRATCH, { recursive: true });
  const path = await mkdtemp(join(SCRATCH, `${name}-`));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

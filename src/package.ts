import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Path of a file of keyturn's package. What is built lies in dist/ itself, as this module does in
 * src/: from both it is one step up.
 */
export function packageFile(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

/** The version of keyturn, as its package.json says. */
export function packageVersion(): string {
  return JSON.parse(readFileSync(packageFile("package.json"), "utf8")).version;
}

import type { Findings } from "./findings.ts";
import { hasUserInfo, holdsSecret, looksSecret } from "./literals.ts";
import type { Source } from "./source.ts";
import type { Path, Scalar, Tree } from "./tree.ts";

/**
 * Refuses every secret that is written into the policy, or that a variable fills into a string:
 * the policy is copied into the journal. What is refused is hidden from quoted lines.
 */
export function refuseLiterals(tree: Tree, source: Source, findings: Findings): void {
  for (const [name, entry] of tree.kind === "map" ? tree.entries : []) {
    if (looksSecret(name) && entry.keyAt) {
      source.hide(entry.keyAt);
      findings.faultAt(entry.keyAt.start, entry.path, "found [secret], a literal key, as a field's name");
    }
    refuseLiterals(entry, source, findings);
  }
  if (tree.kind === "list") for (const item of tree.items) refuseLiterals(item, source, findings);
  if (tree.kind !== "scalar" || tree.value === null || tree.value === "") return;
  const expected = holdsSecret(tree.path);
  const written = tree.template ?? String(tree.value);
  const secret = (text: string) => looksSecret(text) || hasUserInfo(text);
  if (!expected && !secret(written) && (tree.template === undefined || !secret(String(tree.value)))) return;
  if (!/^\$\{\w+\}$/.test(written)) source.hide(tree.at);
  findings.faultAt(
    tree.at.start,
    tree.path,
    "found [secret]: a secret is never written here; accepted: { env: NAME } or { file: PATH }",
    hintFor(tree, expected),
  );
  findings.settle(tree.path);
}

function hintFor({ path, value, template }: Scalar, expected: boolean): string {
  const variable = /^\$\{([A-Za-z_][A-Za-z0-9_]*)/.exec(template ?? String(value))?.[1] ?? "NAME";
  if (expected && path.at(-2) !== "headers") return `write ${path.at(-1)}: { env: ${variable} }`;
  if (isProviderHeader(path)) return "a provider sends its managementKey by itself; remove this header";
  if (hasUserInfo(String(value)))
    return "take the password out of the URL; use auth: { basic: { username, password: { env: NAME } } }";
  if (path.at(-2) === "headers")
    return `write ${path.at(-1)}: { env: ${variable} }, or use auth: { bearer: { env: ${variable} } }`;
  return "put it into the environment or a file of its own, and if this file was ever shared, revoke it";
}

function isProviderHeader(path: Path): boolean {
  return path[0] === "providers" && path[2] === "headers";
}

import type { Findings } from "./findings.ts";
import { plainYaml } from "./plain-yaml.ts";
import type { Source } from "./source.ts";
import type { Tree } from "./tree.ts";

/**
 * The policy's text as a tree; undefined when it has no usable shape, and `findings` say why. The
 * YAML that policies are written in is read by the fastest parser; anything else is left to the one
 * that says best what is wrong, which then is loaded.
 */
export async function readYaml(source: Source, findings: Findings): Promise<Tree | undefined> {
  const tree = plainYaml(source.text);
  if (tree) return tree;
  const { examineYaml } = await import("./examine-yaml.ts");
  return examineYaml(source, findings);
}

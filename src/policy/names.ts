import { Findings } from "./findings.ts";
import { readPolicyFile } from "./read-file.ts";
import { readYaml } from "./read-yaml.ts";
import { Source } from "./source.ts";
import { child, type Tree } from "./tree.ts";

/** The names that a policy gives, as they are written. */
export interface PolicyNames {
  providers: string[];
  stores: string[];
  keys: { name: string; consumers: string[] }[];
}

const NONE: PolicyNames = { providers: [], stores: [], keys: [] };

/**
 * What can be named on the command line, for completing it: read without judging the policy and
 * without the environment. A policy that cannot be read, or is no YAML, names nothing.
 */
export async function policyNames(file: string): Promise<PolicyNames> {
  try {
    const tree = await readYaml(new Source(await readPolicyFile(file)), new Findings());
    if (!tree) return NONE;
    return {
      providers: fields(child(tree, "providers")),
      stores: fields(child(tree, "stores")),
      keys: items(child(tree, "keys")).flatMap((key) =>
        name(key).map((found) => ({
          name: found,
          consumers: items(child(key, "consumers")).flatMap(name),
        })),
      ),
    };
  } catch {
    return NONE;
  }
}

function fields(tree: Tree | undefined): string[] {
  return tree?.kind === "map" ? [...tree.entries.keys()] : [];
}

function items(tree: Tree | undefined): Tree[] {
  return tree?.kind === "list" ? tree.items : [];
}

function name(tree: Tree): string[] {
  const found = child(tree, "name");
  return found?.kind === "scalar" && typeof found.value === "string" ? [found.value] : [];
}

import { dirname, resolve } from "node:path";
import { systemClock } from "../lib/clock.ts";
import { checkRestart } from "./checks/restart.ts";
import { checkPolicy } from "./checks.ts";
import { explain } from "./explain.ts";
import { PolicyError, type PolicyNote } from "./faults.ts";
import { Findings } from "./findings.ts";
import { interpolate } from "./interpolate.ts";
import { resolvePaths } from "./paths.ts";
import { readPolicyFile } from "./read-file.ts";
import { readYaml } from "./read-yaml.ts";
import { refuseLiterals } from "./refuse-literals.ts";
import { keySchema, type Policy, policySchema } from "./schema.ts";
import { withServerDefault } from "./server-default.ts";
import { Source } from "./source.ts";
import { child, merge, type Tree, toValue } from "./tree.ts";
import { viewPolicy, wholePolicy } from "./view.ts";

export { type Fault, formatFaults, PolicyError, type PolicyNote } from "./faults.ts";

export interface LoadedPolicy {
  policy: Policy;
  /** What is allowed and may surprise, in the order of the text. */
  warnings: PolicyNote[];
  /** The file as it stands. */
  text: string;
}

/**
 * Reads and judges a policy: `${NAME}` filled in from `env`, `defaults` merged into each key,
 * relative paths resolved against the file's folder. Nothing but the file is looked at. Throws
 * PolicyError with every fault there is. `now` (epoch milliseconds) is what instants are judged by.
 */
export async function loadPolicy(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  { now = systemClock.now() }: { now?: number } = {},
): Promise<LoadedPolicy> {
  return await judgePolicy(file, await readPolicyFile(file), env, { now });
}

/**
 * The same for a text that was read from the file already. With `inForce`, what a worker that runs
 * under that policy cannot change is a fault too.
 */
export async function judgePolicy(
  file: string,
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  { now = systemClock.now(), inForce }: { now?: number; inForce?: Policy } = {},
): Promise<LoadedPolicy> {
  const source = new Source(text);
  const findings = new Findings();
  const policy = await parse(source, findings, env, dirname(resolve(file)), now, inForce);
  if (policy === undefined || findings.anyFault) throw new PolicyError(file, findings.faults(file, source));
  return { policy, warnings: findings.notes(source), text };
}

async function parse(
  source: Source,
  findings: Findings,
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
  now: number,
  inForce: Policy | undefined,
): Promise<Policy | undefined> {
  const written = await readYaml(source, findings);
  if (!written) return undefined;
  const filled = interpolate(written, env, findings);
  refuseLiterals(filled, source, findings);
  const defaults = child(filled, "defaults");
  if (defaults) {
    const { error } = keySchema.omit({ name: true }).safeParse(toValue(defaults));
    explain(error?.issues ?? [], filled, findings, { base: ["defaults"], partial: true });
  }
  const merged = withDefaults(filled, defaults);
  const view = viewPolicy(merged, folder, now);
  const { data: whole, error } = wholePolicy(view) ?? policySchema.safeParse(toValue(merged));
  explain(error?.issues ?? [], merged, findings);
  checkPolicy(view, findings);
  const policy = whole && resolvePaths(withServerDefault(whole, merged, env, findings), folder);
  if (policy && inForce) checkRestart(policy, inForce, merged, findings);
  return policy;
}

/** Every key on top of `defaults`, and `defaults` gone. */
function withDefaults(tree: Tree, defaults: Tree | undefined): Tree {
  if (tree.kind !== "map" || !defaults) return tree;
  const entries = new Map(tree.entries);
  entries.delete("defaults");
  const keys = entries.get("keys");
  if (defaults.kind === "map" && keys?.kind === "list") {
    const fields = new Map(defaults.entries);
    fields.delete("name");
    const base: Tree = { ...defaults, entries: fields };
    const items = keys.items.map((key) => (key.kind === "map" ? merge(base, key) : key));
    entries.set("keys", { ...keys, items });
  }
  return { ...tree, entries };
}

import { RotationError } from "../lib/errors.ts";
import { nearestWord } from "../policy/nearest.ts";
import type { KeyPolicy, Policy } from "../policy/schema.ts";

/** The policy's entry for a key. Throws RotationError `usage` when there is none. */
export function keyOf(policy: Policy, name: string): KeyPolicy {
  const key = policy.keys.find((entry) => entry.name === name);
  if (key) return key;
  const renamed = policy.keys.find((entry) => entry.formerly.includes(name));
  const meant =
    renamed?.name ??
    nearestWord(
      name,
      policy.keys.map((entry) => entry.name),
    );
  throw new RotationError("usage", `the policy has no key ${JSON.stringify(name)}`, {
    hint: renamed
      ? `it is called ${renamed.name} now`
      : meant
        ? `did you mean ${meant}?`
        : `its keys are ${policy.keys.map((entry) => entry.name).join(", ")}`,
  });
}

/** The names given, each once; undefined, meaning all, when none is. Throws RotationError `usage` for a name the policy lacks. */
export function namedKeys(policy: Policy, names: readonly string[]): string[] | undefined {
  if (names.length === 0) return undefined;
  return [...new Set(names)].map((name) => keyOf(policy, name).name);
}

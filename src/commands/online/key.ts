import type { TargetDocument } from "../../journal/document.ts";
import { type Check, checked, failed, noted } from "../../lib/check.ts";
import { RotationError } from "../../lib/errors.ts";
import { fingerprint, type Secret } from "../../lib/secret.ts";
import type { KeyPolicy } from "../../policy/schema.ts";
import type { InstanceAnswer, Probe } from "../../probes/probe.ts";
import type { Provider } from "../../providers/provider.ts";
import { expectedBy } from "../../rotation/world.ts";
import type { StoredVersion } from "../../stores/store.ts";

/** Whether the provider accepts what is current, asked with the key itself. */
export function checkValue(provider: Provider, value: Secret): Promise<Check> {
  return checked("current key", async () => {
    const answer = await provider.current(value);
    if (!answer.accepted)
      throw new RotationError("rejected", `${provider.name} refuses the secret's current value`, {
        hint: "if it is a placeholder, empty it and a first key is provisioned; if it expired, replace it by hand once",
      });
    if (answer.key.isManagementKey)
      throw new RotationError("rejected", "the secret's current value is a management key", {
        hint: "put the API key that the consumers use into this secret",
      });
    return `accepted by ${provider.name}${answer.key.label === undefined ? "" : ` (${answer.key.label})`}`;
  });
}

/** One sweep of every consumer, judged against what the store shows as current. */
export async function checkConsumers(
  key: KeyPolicy,
  probes: readonly Probe[],
  current: StoredVersion | undefined,
  document: TargetDocument | undefined,
): Promise<Check[]> {
  const field = key.store.field ?? "";
  // Nobody serves with the empty key: where nothing is current, every answer tells of another.
  const wanted = current?.value?.fingerprint() ?? fingerprint("");
  const record = Object.values(document?.issued ?? {}).find((one) => one.fingerprint === wanted);
  const hash = record?.hash ?? current?.hash ?? "";
  const asked = expectedBy({ field, policy: key, hash, wanted, outgoing: [] }, record, document?.rotation);
  const expected = { ...asked, version: current?.version ?? "" };
  const rollouts = new Set(
    key.consumers === "none"
      ? []
      : key.consumers.filter((one) => one.probe.kubernetes !== undefined).map((one) => one.name),
  );
  const judge = judgeBy(key, current?.value !== undefined, document?.rotation?.field === field);

  const checks = await Promise.all(
    probes.map(async (probe) => {
      const check = `consumer ${probe.consumer}`;
      try {
        const { instances, problem } = await probe.sweep(expected);
        const whole = problem === undefined ? [] : [failed(check, new RotationError("unusable", problem))];
        return [...whole, ...instances.map((answer) => judge(check, answer, rollouts.has(probe.consumer)))];
      } catch (thrown) {
        return [failed(check, thrown)];
      }
    }),
  );
  return checks.flat();
}

function judgeBy(key: KeyPolicy, known: boolean, rotating: boolean) {
  return (check: string, { instance, verdict, detail }: InstanceAnswer, rollout: boolean): Check => {
    const says = `${instance} ${detail}`;
    const fail = (hint: string): Check => ({ check, result: "failed", says, hint });
    switch (verdict) {
      case "confirms":
      case "holds":
        return { check, result: "passed", says };
      case "other":
        if (!known) return { check, result: "passed", says: `${says}; the store holds no key to compare` };
        if (rotating) return noted(check, `${says}; a rotation is in flight`);
        if (rollout) return noted(check, `${says}; a rollout is judged from the first rotation's restart on`);
        return fail(
          `it does not use the store's current key of ${key.name}: check where it reads its key, and that it reads it again`,
        );
      case "unwell":
        if (!known) return noted(check, `${says}; it may be waiting for its first key`);
        return fail("no rotation starts before every consumer is well; check the service and its probe");
      case "silent":
        return fail("no rotation starts before every consumer answers; check the service and its probe");
    }
  };
}

import type { IssuedRecord } from "../../journal/document.ts";
import { RotationError } from "../../lib/errors.ts";
import type { Secret } from "../../lib/secret.ts";
import type { CurrentKey, IssuedKey, Provider } from "../../providers/provider.ts";
import { skewed } from "../checks/common.ts";
import { inheritedFrom } from "../settings.ts";
import type { StepContext } from "./context.ts";
import { keyRecord, replacedByHand } from "./draft.ts";

/**
 * R13: a current value that we did not issue becomes ours only when its hash is proved. Reads at
 * the provider, writes the journal. Throws `rejected` when it cannot be proved, saying what to do.
 */
export async function adopt(context: StepContext, field: string): Promise<void> {
  const { key: policy } = context.snapshot(field);
  const view = context.world.store[field]?.value;
  const value = view?.current?.value;
  if (value === undefined)
    throw new RotationError("internal", "nothing is current, so there is nothing to adopt");
  const provider = context.provider(field);
  const answer = await provider.current(value);
  if (!answer.accepted)
    throw new RotationError("rejected", `the provider refuses the secret's current value`, {
      hint: "if it is a placeholder, empty it and a first key is provisioned; if it expired, replace it by hand once",
    });
  if (answer.key.isManagementKey)
    throw new RotationError("rejected", `the secret's current value is a management key`, {
      hint: "keyturn rotates API keys; put the API key that the consumers use into this secret",
    });
  const issued = await prove(
    provider,
    value,
    answer.key,
    policy.adopt?.hash ?? view?.current?.hash,
    policy.adopt !== undefined,
    policy.settings.workspaceId === undefined ? [] : [policy.settings.workspaceId],
  );
  if (issued === undefined)
    throw new RotationError("rejected", `cannot prove which of the provider's keys the current value is`, {
      hint: `look its hash up in the provider's dashboard and write \`adopt: { hash: … }\` under ${policy.name}`,
    });
  const owner = await context.parts.journal.ownerOf(issued.hash);
  if (owner !== undefined && owner !== context.world.target)
    throw new RotationError("rejected", `key ${issued.hash} is kept for ${owner} already`, {
      hint: "a key belongs to one entry of one policy; give each consumer group a key of its own",
    });
  const twin = context.document.issued[issued.hash];
  if (twin !== undefined && twin.field !== field)
    throw new RotationError("rejected", `field ${twin.field} of the secret holds the same key`, {
      hint: "a key belongs to one entry of one policy; give each consumer group a key of its own",
    });
  // Its age counts from an instant of our clock.
  const skew = skewed({ skewMs: { [policy.provider]: provider.skewMs() } }, policy.provider);
  if (skew !== undefined) throw new RotationError("unusable", skew);
  const now = context.parts.clock.now();
  const record: IssuedRecord = {
    hash: issued.hash,
    field,
    provider: policy.provider,
    origin: "adopted",
    fingerprint: value.fingerprint(),
    mayBeCurrent: true,
    settings: { ...inheritedFrom(issued) },
    version: view?.current?.version as string,
    ...(issued.name === undefined ? {} : { name: issued.name }),
    ...(issued.label === undefined ? {} : { label: issued.label }),
    ...(issued.createdAt ? { createdAt: Date.parse(issued.createdAt) } : {}),
    ...(issued.expiresAt ? { expiresAt: Date.parse(issued.expiresAt) } : {}),
  };
  await context.commit(
    "adopted",
    (draft) => {
      draft.issued[issued.hash] = record;
      const entry = keyRecord(draft, field, policy.name, policy.provider);
      const before = entry.current?.hash;
      entry.current = {
        hash: issued.hash,
        fingerprint: value.fingerprint(),
        version: record.version as string,
        since: now,
      };
      delete entry.blocked;
      replacedByHand(draft, before, context.snapshot(field), now);
    },
    {
      field,
      message: `adopts key ${issued.hash}, which the secret holds`,
      data: { hash: issued.hash, label: issued.label, fingerprint: value.fingerprint() },
    },
  );
}

async function prove(
  provider: Provider,
  value: Secret,
  self: CurrentKey,
  named: string | undefined,
  byPolicy: boolean,
  workspaces: string[],
): Promise<IssuedKey | undefined> {
  if (named !== undefined) {
    const key = await provider.get(named);
    if (key && looksLike(key, self)) return key;
    if (byPolicy)
      throw new RotationError(
        "rejected",
        `the key that \`adopt\` names (${named}) is ${key ? "not the one in the secret" : "not known to the provider"}`,
        {
          hint: "correct the hash under `adopt`",
        },
      );
  }
  const byFingerprint = await provider.get(value.fingerprint().slice("sha256:".length));
  if (byFingerprint && looksLike(byFingerprint, self)) return byFingerprint;
  const alike = (await provider.list(workspaces)).filter(
    (key) => self.label !== undefined && key.label === self.label && looksLike(key, self),
  );
  return alike.length === 1 ? alike[0] : undefined;
}

/** Whether what the key says of itself and what the list says of it agree, where both say anything. */
function looksLike(key: IssuedKey, self: CurrentKey): boolean {
  const agree = (a: unknown, b: unknown) => a === undefined || b === undefined || a === b;
  const sameInstant = (a: string | null | undefined, b: string | null | undefined) =>
    a === undefined ||
    b === undefined ||
    a === b ||
    (a !== null && b !== null && Date.parse(a) === Date.parse(b));
  return (
    agree(key.label, self.label) && agree(key.limit, self.limit) && sameInstant(key.expiresAt, self.expiresAt)
  );
}

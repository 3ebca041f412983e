import type { SecretRef, SecretView, StagedVersion, StoredVersion } from "../store.ts";
import { hashAt, REPLACED, readMarks } from "./labels.ts";
import type { AwsSecrets } from "./secrets.ts";
import { baseOf, type Shown } from "./shown.ts";
import { readShownVersion } from "./values.ts";

/** One DescribeSecret, and one GetSecretValue for current and for each version in a stage. */
export async function observe(secrets: AwsSecrets, ref: SecretRef): Promise<SecretView> {
  const shown = await secrets.describe(ref);
  const [current, staged] = shown
    ? await Promise.all([currentVersion(secrets, ref, shown), stagedVersions(secrets, ref, shown)])
    : [undefined, []];
  return {
    base: baseOf(shown),
    current,
    staged,
    owner: shown?.owner,
    ...(shown?.foreign === undefined ? {} : { foreign: shown.foreign }),
    warnings: shown?.warnings ?? [],
  };
}

async function currentVersion(
  secrets: AwsSecrets,
  ref: SecretRef,
  shown: Shown,
): Promise<StoredVersion | undefined> {
  const version = shown.current;
  if (version === undefined) return undefined;
  const { value } = await readShownVersion(secrets.calls, secrets.clock, ref, version);
  const labelled = hashAt(ref, readMarks(shown.labels.get(version)));
  const hash = labelled ?? (value && (await hashOfSame(secrets, ref, shown, value.fingerprint())));
  return { version, value, ...(hash === undefined ? {} : { hash }) };
}

/** Equal values have equal hashes: a version that was labelled for this field and holds the same value tells. */
async function hashOfSame(
  { calls, clock }: AwsSecrets,
  ref: SecretRef,
  shown: Shown,
  fingerprint: string,
): Promise<string | undefined> {
  for (const [version, labels] of shown.labels) {
    const hash = hashAt(ref, readMarks(labels));
    if (hash === undefined || version === shown.current) continue;
    const { value } = await readShownVersion(calls, clock, ref, version);
    if (value?.fingerprint() === fingerprint) return hash;
  }
  return undefined;
}

/** AWSPREVIOUS is on what was current, so that is staged no more even where its label was left standing. */
async function stagedVersions(secrets: AwsSecrets, ref: SecretRef, shown: Shown): Promise<StagedVersion[]> {
  const staged = [...shown.labels].flatMap(([version, labels]) => {
    const { staged, holds } = readMarks(labels);
    if (!staged || !holds || labels.includes(REPLACED)) return [];
    return [{ version, rotation: holds.rotation, hash: holds.hash, base: holds.base }];
  });
  return Promise.all(
    staged.map(async (found) => ({
      ...found,
      value: (await readShownVersion(secrets.calls, secrets.clock, ref, found.version)).value,
    })),
  );
}

import { Secret } from "../../lib/secret.ts";
import type { SecretRef, SecretView, StagedVersion, StoredVersion } from "../store.ts";
import { hashAt, readMarks } from "./labels.ts";
import type { AwsSecrets } from "./secrets.ts";
import { baseOf, type Shown, stageOf } from "./shown.ts";
import { type Held, readShownVersion } from "./values.ts";

type Read = (version: string) => Promise<Held>;

/**
 * One DescribeSecret, and one GetSecretValue for current and for each version in a stage; where the
 * label of current is not the field's, also for those that were labelled for the field.
 */
export async function observe(secrets: AwsSecrets, ref: SecretRef): Promise<SecretView> {
  const [shown] = await Promise.all([secrets.describe(ref), readAhead(secrets, ref)]);
  if (shown === undefined) return nothing();
  const read = readingOnce((version) => readShownVersion(secrets, ref, shown, version));
  const [current, staged] = await Promise.all([
    currentVersion(read, ref, shown),
    stagedVersions(read, shown),
  ]);
  return {
    base: baseOf(shown),
    current,
    staged,
    retained: retainedVersions(ref, shown, staged),
    owner: shown.owner,
    ...(shown.foreign === undefined ? {} : { foreign: shown.foreign }),
    warnings: shown.warnings,
  };
}

/** The view of a secret that is not there. */
export function nothing(): SecretView {
  return { base: baseOf(undefined), current: undefined, staged: [], owner: undefined, warnings: [] };
}

/** What is most likely current is read together with what is; where it is not, or fails, it is read by its id. */
async function readAhead({ calls, contents }: AwsSecrets, ref: SecretRef): Promise<void> {
  if (contents.holdsAny(ref)) return;
  const answer = await calls.get(ref).catch(() => undefined);
  const { ARN, VersionId, SecretString } = answer ?? {};
  if (ARN !== undefined && VersionId !== undefined && SecretString !== undefined)
    contents.keep(ref, VersionId, ARN, new Secret(SecretString));
}

async function currentVersion(read: Read, ref: SecretRef, shown: Shown): Promise<StoredVersion | undefined> {
  const version = shown.current;
  if (version === undefined) return undefined;
  const { value } = await read(version);
  const labelled = hashAt(ref, readMarks(shown.labels.get(version)));
  const hash = labelled ?? (value && (await hashOfSame(read, ref, shown, value.fingerprint())));
  return { version, value, ...(hash === undefined ? {} : { hash }) };
}

/** Equal values have equal hashes: a version that was labelled for this field and holds the same value tells. */
async function hashOfSame(
  read: Read,
  ref: SecretRef,
  shown: Shown,
  fingerprint: string,
): Promise<string | undefined> {
  for (const [version, labels] of shown.labels) {
    const hash = hashAt(ref, readMarks(labels));
    if (hash === undefined || version === shown.current) continue;
    const { value } = await read(version);
    if (value?.fingerprint() === fingerprint) return hash;
  }
  return undefined;
}

function stagedVersions(read: Read, shown: Shown): Promise<StagedVersion[]> {
  const staged = [...shown.labels.keys()].flatMap((version) => {
    const holds = stageOf(shown, version);
    return holds ? [{ version, rotation: holds.rotation, hash: holds.hash, base: holds.base }] : [];
  });
  return Promise.all(staged.map(async (found) => ({ ...found, value: (await read(found.version)).value })));
}

/** What bears a label of ours and is neither current nor staged. */
function retainedVersions(
  ref: SecretRef,
  shown: Shown,
  staged: readonly StagedVersion[],
): { version: string; hash?: string }[] {
  return [...shown.labels].flatMap(([version, labels]) => {
    const marks = readMarks(labels);
    if (!marks.kept || version === shown.current || staged.some((one) => one.version === version)) return [];
    const hash = hashAt(ref, marks);
    return [{ version, ...(hash === undefined ? {} : { hash }) }];
  });
}

function readingOnce(read: Read): Read {
  const reading = new Map<string, Promise<Held>>();
  return (version) => {
    const found = reading.get(version) ?? read(version);
    reading.set(version, found);
    return found;
  };
}

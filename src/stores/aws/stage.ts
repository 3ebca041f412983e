import { asRotationError } from "../../lib/errors.ts";
import { absentSecret, anotherValue, emptyValue, movedOn } from "../refusals.ts";
import type { SecretRef, StagedVersion, StageRequest } from "../store.ts";
import { versionToken } from "../version-token.ts";
import { holdsLabel, isHolding, readMarks, stagingLabel } from "./labels.ts";
import type { AwsSecrets } from "./secrets.ts";
import { baseOf, type Shown, stageOf } from "./shown.ts";
import { writeText } from "./text.ts";
import { readShownVersion } from "./values.ts";

/** How many labels AWS holds on a secret, and how many a rotation adds. */
const MOST_LABELS = 20;
const LABELS_OF_A_ROTATION = 3;

/**
 * Puts a version whose id is the token, under labels of its own. A put without labels would make it
 * current; so they are always given. A repeat finds the version, or AWS does nothing.
 */
export async function stage(
  secrets: AwsSecrets,
  ref: SecretRef,
  { rotation, hash, value, base }: StageRequest,
): Promise<StagedVersion> {
  if (value.reveal() === "") throw emptyValue(ref);
  const { calls } = secrets;
  const seen = secrets.seen(ref);
  const shown = seen && baseOf(seen) === base ? seen : await secrets.describe(ref);
  if (shown === undefined) throw absentSecret(ref);
  const current =
    shown.current === undefined ? undefined : await readShownVersion(secrets, ref, shown, shown.current);

  const token = versionToken(rotation, hash, base);
  const labels = [stagingLabel(rotation, hash), holdsLabel(ref, base, rotation, hash)];
  if (readMarks(shown.labels.get(token)).kept) {
    const before =
      token === shown.current && current ? current : await readShownVersion(secrets, ref, shown, token);
    if (!before.value?.equals(value)) throw anotherValue(ref, token);
    return { version: token, value, rotation, hash, base };
  }
  // A first version is current as soon as it is put, so a repeat finds itself as its own base.
  if (shown.current !== undefined && current?.value?.equals(value)) {
    const holds = stageOf(shown, shown.current);
    if (holds?.rotation === rotation && holds.hash === hash)
      return { version: shown.current, value, rotation, hash, base: holds.base };
  }
  if (baseOf(shown) !== base) throw movedOn(ref, base, baseOf(shown));

  const text = writeText(current?.text, ref, value);
  await makeRoom(secrets, ref, shown);
  const borne = await calls
    .put(ref, { ClientRequestToken: token, SecretString: text, VersionStages: labels })
    .catch((thrown: unknown) => {
      throw asRotationError(thrown).code === "conflict" ? anotherValue(ref, token) : thrown;
    });
  // The version was dropped before: a put of what is there does nothing, so its labels are still off.
  for (const label of labels) if (!borne.includes(label)) await secrets.attach(ref, shown, label, token);
  secrets.wrote(
    ref,
    `version ${token}`,
    (read) => !read?.labels.has(token) || (shown.current === undefined && read.current === undefined),
  );
  return { version: token, value, rotation, hash, base };
}

/**
 * A key that is put back time after time leaves a labelled version each time. Where labels run out,
 * those go that hold what current holds for the same field.
 */
async function makeRoom(secrets: AwsSecrets, ref: SecretRef, shown: Shown): Promise<void> {
  if ([...shown.labels.values()].flat().length + LABELS_OF_A_ROTATION <= MOST_LABELS) return;
  const { holds } = readMarks(shown.labels.get(shown.current ?? ""));
  if (!holds) return;
  for (const [version, labels] of shown.labels) {
    const other = readMarks(labels);
    const same = other.holds?.field === holds.field && other.holds.hash === holds.hash;
    if (!same || other.staged || version === shown.current) continue;
    for (const label of labels.filter(isHolding)) await secrets.detach(ref, label, version);
    secrets.wrote(ref, `version ${version}`, (read) => read?.labels.get(version)?.some(isHolding) === true);
  }
}

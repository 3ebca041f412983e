import { asRotationError, RotationError } from "../../lib/errors.ts";
import { absentSecret, currentBefore, isCurrent, movedOn, notStaged } from "../refusals.ts";
import type { SecretRef } from "../store.ts";
import { CURRENT, isOurs, PENDING, previousLabel, readMarks, stagingLabel } from "./labels.ts";
import type { AwsSecrets } from "./secrets.ts";
import { baseOf, type Shown } from "./shown.ts";
import { readShownVersion } from "./values.ts";

/**
 * Moves AWSCURRENT from `base` to a staged version: AWS refuses when it is on any other. The version
 * that was current bears a label of ours before, so that it stays readable.
 */
export async function promote(
  secrets: AwsSecrets,
  ref: SecretRef,
  version: string,
  base: string,
): Promise<void> {
  const seen = secrets.seen(ref);
  const shown = seen && refusal(seen, ref, version, base) === undefined ? seen : await secrets.describe(ref);
  if (shown === undefined) throw absentSecret(ref);
  if (shown.current === version) return unstage(secrets, ref, shown, version);
  const refused = refusal(shown, ref, version, base);
  if (refused) throw refused;

  const from = shown.current;
  if (from !== undefined) await keepReadable(secrets, ref, shown, from);
  try {
    await secrets.calls.move(ref, { label: CURRENT, to: version, from });
  } catch (thrown) {
    if (asRotationError(thrown).code !== "rejected") throw thrown;
    await settle(secrets, ref, version, from, thrown);
  }
  secrets.wrote(ref, "current", (read) => read?.current === from);
  secrets.behind(ref, unstage(secrets, ref, shown, version));
  if (from !== undefined) secrets.behind(ref, unstage(secrets, ref, shown, from));
}

/** Why a version cannot be made current instead of `base`. */
function refusal(shown: Shown, ref: SecretRef, version: string, base: string): RotationError | undefined {
  const { kept, staged, holds } = readMarks(shown.labels.get(version));
  if (!kept) return notStaged(ref, version);
  if (!staged) return currentBefore(ref, version);
  if (baseOf(shown) !== base || holds?.base !== base) return movedOn(ref, base, baseOf(shown));
  return undefined;
}

/** Takes the labels of ours off a version; with none left AWS forgets it. AWSPREVIOUS is AWS's own and stays. */
export async function drop(secrets: AwsSecrets, ref: SecretRef, version: string): Promise<void> {
  const shown = secrets.seen(ref) ?? (await secrets.describe(ref));
  const labels = shown?.labels.get(version)?.filter(isOurs) ?? [];
  if (shown?.current === version) throw isCurrent(ref, version);
  secrets.contents.drop(ref, version);
  for (const label of labels) await secrets.detach(ref, label, version);
  if (labels.length > 0)
    secrets.wrote(ref, `version ${version}`, (read) => readMarks(read?.labels.get(version)).kept);
}

/** A version without a value in the field is nothing to go back to: nobody would ever take its label off again. */
async function keepReadable(
  secrets: AwsSecrets,
  ref: SecretRef,
  shown: Shown,
  version: string,
): Promise<void> {
  const labels = shown.labels.get(version) ?? [];
  if (!readMarks(labels).kept && (await hasValue(secrets, ref, shown, version)))
    await secrets.attach(ref, shown, previousLabel(version), version);
  // Left there by a rotation that has ended, it would look like one in flight once current has moved on.
  if (labels.includes(PENDING)) await secrets.detach(ref, PENDING, version);
}

async function hasValue(
  secrets: AwsSecrets,
  ref: SecretRef,
  shown: Shown,
  version: string,
): Promise<boolean> {
  if (ref.field === undefined) return true;
  return (await readShownVersion(secrets, ref, shown, version)).value !== undefined;
}

/** AWS refused the move: because it has happened already and the reply was lost, or because current is elsewhere. */
async function settle(
  secrets: AwsSecrets,
  ref: SecretRef,
  version: string,
  from: string | undefined,
  refusal: unknown,
): Promise<void> {
  secrets.wrote(ref, "current", (read) => read?.current === from);
  const shown = await secrets.describe(ref);
  if (shown?.current === version) return;
  if (baseOf(shown) !== (from ?? baseOf(shown))) throw movedOn(ref, from ?? "", baseOf(shown));
  throw new RotationError(
    "conflict",
    `AWS refused to make version ${version} of secret ${ref.secret} current`,
    {
      hint: asRotationError(refusal).message,
    },
  );
}

/**
 * The rotation's own label goes once its version is current. It harms nobody where it stays, and the
 * next promotion takes it off; so that the promotion has happened is not hidden by a failure here.
 */
async function unstage(secrets: AwsSecrets, ref: SecretRef, shown: Shown, version: string): Promise<void> {
  const { staged, holds } = readMarks(shown.labels.get(version));
  if (!staged || !holds) return;
  await secrets.detach(ref, stagingLabel(holds.rotation, holds.hash), version).catch(() => {});
}

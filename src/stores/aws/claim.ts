import type { Tag } from "@aws-sdk/client-secrets-manager";
import { asRotationError, RotationError } from "../../lib/errors.ts";
import { type Owner, sameOwner } from "../../lib/owner.ts";
import type { AwsStorePolicy } from "../../policy/schema.ts";
import { absentSecret, rivalOwner } from "../refusals.ts";
import type { SecretRef } from "../store.ts";
import { isArn } from "./secret-id.ts";
import type { AwsSecrets } from "./secrets.ts";
import { INSTALLATION_TAG, JOURNAL_TAG } from "./shown.ts";
import { readShownVersion } from "./values.ts";

/** Stamps the owner as tags; makes a secret without a version when there is none and `create` allows it. */
export async function claim(
  secrets: AwsSecrets,
  ref: SecretRef,
  owner: Owner,
  options: { create: boolean; takeOver?: boolean; config: AwsStorePolicy },
): Promise<void> {
  const { calls } = secrets;
  let shown = await secrets.describe(ref);
  if (shown === undefined) {
    if (!options.create) throw absentSecret(ref);
    if (isArn(ref.secret)) throw notByArn(ref);
    const made = await create(secrets, ref, owner, options.config);
    if (made) return;
    shown = await secrets.describe(ref);
    if (shown === undefined) throw absentSecret(ref);
  }
  if (shown.owner && sameOwner(shown.owner, owner)) return;
  if (shown.owner && !options.takeOver) throw rivalOwner(ref, shown.owner, owner);
  // What cannot be rotated is not claimed.
  if (shown.current !== undefined) await readShownVersion(secrets, ref, shown, shown.current);
  const before = shown.owner;
  await calls.tag(ref, stamp(owner));
  secrets.wrote(ref, "owner", (read) =>
    before === undefined
      ? read?.owner === undefined
      : read?.owner !== undefined && sameOwner(read.owner, before),
  );
}

/** Whether it was made by this call and not by someone else meanwhile. */
async function create(
  secrets: AwsSecrets,
  ref: SecretRef,
  owner: Owner,
  { kmsKeyId, description, tags = {} }: AwsStorePolicy,
): Promise<boolean> {
  const given = Object.entries(tags).map(([Key, Value]): Tag => ({ Key, Value }));
  let made = true;
  try {
    await secrets.calls.create(ref, {
      ...(kmsKeyId === undefined ? {} : { KmsKeyId: kmsKeyId }),
      ...(description === undefined ? {} : { Description: description }),
      Tags: [...given, ...stamp(owner)],
    });
  } catch (thrown) {
    if (asRotationError(thrown).code !== "conflict") throw thrown;
    made = false;
  }
  secrets.wrote(ref, "creation", (read) => read === undefined);
  return made;
}

function stamp({ installation, journal }: Owner): Tag[] {
  return [
    { Key: INSTALLATION_TAG, Value: installation },
    { Key: JOURNAL_TAG, Value: journal },
  ];
}

function notByArn(ref: SecretRef): RotationError {
  return new RotationError("absent", `secret ${ref.secret} is not there, and an ARN cannot be created`, {
    hint: "give the name that the new secret is to have",
  });
}

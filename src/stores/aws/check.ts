import { type Check, checked, failed, noted } from "../../lib/check.ts";
import { asRotationError } from "../../lib/errors.ts";
import type { Examination, SecretRef } from "../store.ts";
import { isOurs } from "./labels.ts";
import { nothing, observe } from "./observe.ts";
import type { AwsSecrets } from "./secrets.ts";
import type { Shown } from "./shown.ts";
import { readShownVersion } from "./values.ts";

const DESCRIBE = "secretsmanager:DescribeSecret";
const GET = "secretsmanager:GetSecretValue";
const PUT = "secretsmanager:PutSecretValue";
const MOVE = "secretsmanager:UpdateSecretVersionStage";
const TAG = "secretsmanager:TagResource";
const CREATE = "secretsmanager:CreateSecret";
const KMS_WRITE = "kms:GenerateDataKey";

/** A label that no version ever bears. */
const NOBODYS = "KEYTURN-check";

/**
 * Tries each action that a rotation needs in a way that AWS documents to change nothing, or that
 * cannot but fail: AWS judges rights before it judges the request. What has no such way is noted.
 */
export async function check(secrets: AwsSecrets, ref: SecretRef): Promise<Examination> {
  let shown: Shown | undefined;
  try {
    shown = await secrets.describe(ref);
  } catch (thrown) {
    const others = [GET, PUT, MOVE, TAG].map((action) =>
      noted(action, "not checked: what to try it with is not known without DescribeSecret"),
    );
    return { checks: [failed(DESCRIBE, thrown), ...others] };
  }
  const described: Check = { check: DESCRIBE, result: "passed", says: "allowed" };
  if (shown === undefined) {
    const later = [CREATE, GET, PUT, MOVE, TAG].map((action) =>
      noted(action, "not checked: there is no secret to try it on"),
    );
    return { found: { exists: false, view: nothing() }, checks: [described, ...later] };
  }

  const { found, checks } = await reading(secrets, ref, shown);
  return {
    ...(found === undefined ? {} : { found: { exists: true, view: found } }),
    checks: [
      described,
      ...checks,
      found === undefined
        ? noted(PUT, "not checked: what to put again is not known without the value")
        : await putting(secrets, ref, shown),
      await moving(secrets, ref, shown),
      await tagging(secrets, ref, shown),
      ...(shown.kmsKey === undefined
        ? []
        : [noted(KMS_WRITE, `not checked: only a new version needs it, with the KMS key ${shown.kmsKey}`)]),
    ],
  };
}

async function reading(secrets: AwsSecrets, ref: SecretRef, { current }: Shown) {
  try {
    const found = await observe(secrets, ref);
    const none = noted(GET, "not checked: the secret has no current version");
    const read: Check = { check: GET, result: "passed", says: "allowed" };
    return { found, checks: [current === undefined ? none : read] };
  } catch (thrown) {
    return { found: undefined, checks: [failed(GET, thrown)] };
  }
}

/** A put of what a version holds, with that version's id as its token, is ignored by AWS. */
async function putting(secrets: AwsSecrets, ref: SecretRef, shown: Shown): Promise<Check> {
  const { current } = shown;
  if (current === undefined) return noted(PUT, "not checked: there is no version that could be put again");
  return await checked(PUT, async () => {
    const { text } = await readShownVersion(secrets, ref, shown, current);
    // Never AWSCURRENT: should current move meanwhile, nothing of this request could take it back.
    const label = shown.labels.get(current)?.find(isOurs) ?? NOBODYS;
    await secrets.calls.put(ref, { ClientRequestToken: current, SecretString: text, VersionStages: [label] });
    return "allowed (the current version was put again, which AWS ignores)";
  });
}

/** A label cannot be taken off a version that does not bear it. */
async function moving({ calls }: AwsSecrets, ref: SecretRef, { labels, current }: Shown): Promise<Check> {
  const version = current ?? labels.keys().next().value;
  if (version === undefined) return noted(MOVE, "not checked: the secret has no version");
  return await checked(MOVE, async () => {
    await calls.move(ref, { label: NOBODYS, from: version }).catch((thrown: unknown) => {
      if (asRotationError(thrown).code !== "rejected") throw thrown;
    });
    return "allowed (tried with a label that no version bears)";
  });
}

/** A tag that is there is given the value that it has. Our own stamp is never touched: it may just have changed hands. */
async function tagging({ calls }: AwsSecrets, ref: SecretRef, { tags, owner }: Shown): Promise<Check> {
  if (owner) return noted(TAG, "not checked: the secret bears its owner's stamp, so no rotation needs it");
  const theirs = [...tags].find(([key]) => !key.startsWith("aws:") && !key.startsWith("keyturn:"));
  if (theirs === undefined) return noted(TAG, "not checked: the secret has no tag that could be put again");
  const [Key, Value] = theirs;
  return await checked(TAG, async () => {
    await calls.tag(ref, [{ Key, Value }]);
    return `allowed (the tag ${Key} was given the value that it has)`;
  });
}

import type { DescribeSecretCommandOutput } from "@aws-sdk/client-secrets-manager";
import { RotationError } from "../../lib/errors.ts";
import type { Owner } from "../../lib/owner.ts";
import { isObject } from "../content.ts";
import type { SecretRef } from "../store.ts";
import { CURRENT, type Holds, isOurs, PENDING, REPLACED, readMarks } from "./labels.ts";

export const INSTALLATION_TAG = "keyturn:installation";
export const JOURNAL_TAG = "keyturn:journal";
/** How often a secret without a current version was fenced. */
export const FENCE_TAG = "keyturn:fence";

/** What DescribeSecret shows of a secret. It decides what is current, because values are read less freshly. */
export interface Shown {
  /** Another one when a secret of the same name is made anew. */
  arn: string;
  /** Id of the version that bears AWSCURRENT. */
  current: string | undefined;
  /** The labels of each version that has any, by version id. */
  labels: ReadonlyMap<string, readonly string[]>;
  owner: Owner | undefined;
  fences: number;
  foreign: string | undefined;
  warnings: string[];
  /** All tags, AWS's own included. */
  tags: ReadonlyMap<string, string>;
  /** Undefined: the account's own key for Secrets Manager, which needs no rights of ours. */
  kmsKey: string | undefined;
}

/**
 * Throws `unusable` when the secret cannot be rotated at all: scheduled for deletion, a replica, or
 * with a count of fences that is none; `malformed` when the answer cannot be read.
 */
export function readShown(answer: DescribeSecretCommandOutput, ref: SecretRef, region: string): Shown {
  if (!isObject(answer) || typeof answer.ARN !== "string") throw unreadable(ref);
  if (answer.DeletedDate) throw scheduledForDeletion(ref.secret);
  if (answer.PrimaryRegion && answer.PrimaryRegion !== region) {
    throw new RotationError(
      "unusable",
      `secret ${ref.secret} in ${region} is a replica of the one in ${answer.PrimaryRegion}`,
      { hint: `name a store with region: ${answer.PrimaryRegion}; AWS copies the new value to its replicas` },
    );
  }
  const versions: unknown = answer.VersionIdsToStages ?? {};
  const given: unknown = answer.Tags ?? [];
  if (!isObject(versions) || !Object.values(versions).every(isTexts)) throw unreadable(ref);
  if (!Array.isArray(given) || !given.every(isTag)) throw unreadable(ref);
  const labels = new Map(
    Object.entries(versions as Record<string, string[]>).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const tags = new Map(given.map(({ Key = "", Value = "" }) => [Key, Value]));
  const installation = tags.get(INSTALLATION_TAG);
  const journal = tags.get(JOURNAL_TAG);
  return {
    arn: answer.ARN,
    current: bearerOf(labels, CURRENT),
    labels,
    owner: installation && journal ? { installation, journal } : undefined,
    fences: readFences(tags.get(FENCE_TAG), ref),
    foreign: foreignRotation(answer, labels),
    warnings:
      answer.RotationEnabled && !answer.RotationLambdaARN
        ? [`AWS rotates secret ${ref.secret} by itself; turn that off, or leave the secret out of the policy`]
        : [],
    tags,
    kmsKey: answer.KmsKeyId,
  };
}

/** A count that is not understood must not pass for none: a promotion that was fenced off could go through. */
function readFences(text: string | undefined, ref: SecretRef): number {
  if (text === undefined) return 0;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new RotationError("unusable", `the tag ${FENCE_TAG} of secret ${ref.secret} is not a count`, {
    hint: "set it to a number higher than any it has had",
  });
}

export function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === "string");
}

function isTag(tag: unknown): tag is { Key?: string; Value?: string } {
  return (
    isObject(tag) && [tag.Key, tag.Value].every((text) => text === undefined || typeof text === "string")
  );
}

export function unreadable({ secret }: SecretRef): RotationError {
  return new RotationError("malformed", `AWS answered about secret ${secret} in a form that is not known`, {
    hint: "check endpoint: does it lead to AWS Secrets Manager?",
  });
}

/** The version that bears a label: one at most. */
export function bearerOf(labels: Shown["labels"], label: string): string | undefined {
  for (const [version, borne] of labels) if (borne.includes(label)) return version;
  return undefined;
}

/** Names what is current, for compare-and-swap. */
export function baseOf(shown: Shown | undefined): string {
  if (shown?.current !== undefined) return shown.current;
  return shown && shown.fences > 0 ? `absent-${shown.fences}` : "absent";
}

/**
 * The stage that a version is in: its label stands, and it was not promoted. What is current, or was
 * just before (AWSPREVIOUS), was promoted, but for a first version, which AWS makes current by itself.
 */
export function stageOf({ labels, current }: Shown, version: string): Holds | undefined {
  const borne = labels.get(version) ?? [];
  const { staged, holds } = readMarks(borne);
  const isFirst = holds?.base.startsWith("absent");
  const promoted = borne.includes(REPLACED) || (version === current && !isFirst);
  return staged && !promoted ? holds : undefined;
}

export function scheduledForDeletion(secret: string): RotationError {
  return new RotationError("unusable", `secret ${secret} is scheduled for deletion`, {
    hint: `run \`aws secretsmanager restore-secret --secret-id ${secret}\`, or name another secret`,
  });
}

function foreignRotation(answer: DescribeSecretCommandOutput, labels: Shown["labels"]): string | undefined {
  if (answer.OwningService)
    return `the secret belongs to ${answer.OwningService}, and only that service may change it`;
  const pending = bearerOf(labels, PENDING);
  const borne = (pending && labels.get(pending)) || [];
  // On a version that was current it is left over from a rotation that has ended.
  const unfinished =
    borne.length > 0 && !borne.some((label) => [CURRENT, REPLACED].includes(label) || isOurs(label));
  const by = answer.RotationLambdaARN ? ` by ${answer.RotationLambdaARN}` : "";
  if (unfinished)
    return `version ${pending} bears ${PENDING}: another rotation${by} is in flight, or died; if it is dead, remove that label from it`;
  if (answer.RotationEnabled && by)
    return `AWS rotates the secret${by}; turn that off with \`aws secretsmanager cancel-rotate-secret\``;
  return undefined;
}

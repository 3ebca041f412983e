import type {
  CreateSecretCommandInput,
  GetSecretValueCommandOutput,
  PutSecretValueCommandInput,
  SecretsManager,
  Tag,
} from "@aws-sdk/client-secrets-manager";
import type { Clock } from "../../lib/clock.ts";
import { asRotationError, asUnclear, type RotationError } from "../../lib/errors.ts";
import type { Random } from "../../lib/random.ts";
import { isObject } from "../content.ts";
import type { SecretRef } from "../store.ts";
import { awsError } from "./errors.ts";
import { checkSecretId } from "./secret-id.ts";
import { isTexts, readShown, type Shown, unreadable } from "./shown.ts";

/** How often a call is made that weather keeps from succeeding, and the first pause in milliseconds. */
const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 200;

/** A label goes onto `to`, away from `from`; without one of them it is only added, or only removed. */
export interface LabelMove {
  label: string;
  to?: string;
  from?: string;
}

/**
 * The calls of Secrets Manager that the store makes. Each may be repeated, so each is, a few times,
 * in bad weather; then it throws RotationError as awsError reads it.
 */
export interface Calls {
  /** Undefined when there is no such secret. */
  describe(ref: SecretRef): Promise<Shown | undefined>;
  /** Without `version` what is current. Undefined when there is no such version, or no such secret. */
  get(ref: SecretRef, version?: string): Promise<GetSecretValueCommandOutput | undefined>;
  /** The labels that the version bears now. */
  put(ref: SecretRef, input: Omit<PutSecretValueCommandInput, "SecretId">): Promise<readonly string[]>;
  move(ref: SecretRef, move: LabelMove): Promise<void>;
  create(ref: SecretRef, input: Omit<CreateSecretCommandInput, "Name">): Promise<void>;
  tag(ref: SecretRef, tags: Tag[]): Promise<void>;
}

export function awsCalls(
  connect: () => Promise<SecretsManager>,
  parts: { clock: Clock; random: Random; onThrottled?: (ms: number) => void },
): Calls {
  let connected: Promise<SecretsManager> | undefined;

  const call = async <T>(
    action: string,
    { secret }: SecretRef,
    send: (client: SecretsManager, region: string) => Promise<T>,
  ): Promise<T> => {
    connected ??= connect();
    const client = await connected;
    let unclear = false;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const region = await client.config.region();
        checkSecretId(secret, region);
        return await send(client, region);
      } catch (thrown) {
        const error = awsError(thrown, action, secret);
        unclear ||= error.code === "unclear";
        if (attempt === ATTEMPTS || !isWorthRepeating(thrown, error))
          throw unclear ? asUnclear(error) : error;
        const spread = 0.5 + parts.random.fraction() / 2;
        const pause = FIRST_PAUSE_MS * 2 ** (attempt - 1) * spread;
        await parts.clock.sleep(pause);
        if (error.code === "throttled") parts.onThrottled?.(pause);
      }
    }
  };

  return {
    describe: (ref) =>
      orAbsent(
        call("DescribeSecret", ref, async (client, region) =>
          readShown(await client.describeSecret({ SecretId: ref.secret }), ref, region),
        ),
      ),
    get: (ref, version) =>
      orAbsent(
        call("GetSecretValue", ref, async (client) => {
          const answer = await client.getSecretValue({
            SecretId: ref.secret,
            ...(version === undefined ? {} : { VersionId: version }),
          });
          if (!isObject(answer) || !isTexts(answer.VersionStages === undefined ? [] : answer.VersionStages))
            throw unreadable(ref);
          return answer;
        }),
      ),
    put: (ref, input) =>
      call("PutSecretValue", ref, async (client) => {
        const { VersionStages = [] } = await client.putSecretValue({ SecretId: ref.secret, ...input });
        if (!isTexts(VersionStages)) throw unreadable(ref);
        return VersionStages;
      }),
    move: (ref, { label, to, from }) =>
      call("UpdateSecretVersionStage", ref, async (client) => {
        await client.updateSecretVersionStage({
          SecretId: ref.secret,
          VersionStage: label,
          ...(from === undefined ? {} : { RemoveFromVersionId: from }),
          ...(to === undefined ? {} : { MoveToVersionId: to }),
        });
      }),
    create: (ref, input) =>
      call("CreateSecret", ref, async (client) => {
        await client.createSecret({ Name: ref.secret, ...input });
      }),
    tag: (ref, tags) =>
      call("TagResource", ref, async (client) => {
        await client.tagResource({ SecretId: ref.secret, Tags: tags });
      }),
  };
}

/** The SDK sets its clock by an answer that refused a signature for its time; the next one is right. */
function isWorthRepeating(thrown: unknown, { code }: RotationError): boolean {
  const { $metadata } = Object(thrown) as { $metadata?: { clockSkewCorrected?: boolean } };
  return ["throttled", "unreachable", "unclear"].includes(code) || $metadata?.clockSkewCorrected === true;
}

async function orAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (thrown) {
    const error = asRotationError(thrown);
    if (error.code === "absent") return undefined;
    throw error;
  }
}

import type { GetSecretValueCommandOutput, SecretsManager } from "@aws-sdk/client-secrets-manager";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import { Secret } from "../../lib/secret.ts";
import type { AwsStorePolicy } from "../../policy/schema.ts";
import { movedOn, notFenceable } from "../refusals.ts";
import type { SecretRef, Store } from "../store.ts";
import { awsCalls } from "./calls.ts";
import { check } from "./check.ts";
import { claim } from "./claim.ts";
import { connect } from "./client.ts";
import { readMarks } from "./labels.ts";
import { observe } from "./observe.ts";
import { drop, promote } from "./promote.ts";
import { type AwsSecrets, awsSecrets } from "./secrets.ts";
import { baseOf, FENCE_TAG } from "./shown.ts";
import { stage } from "./stage.ts";
import { held, readShownVersion } from "./values.ts";

/**
 * A store in AWS Secrets Manager. Staging labels, which only this program uses, say what each
 * version is (labels.ts); DescribeSecret says what is current; moving AWSCURRENT away from the
 * version it was read on is the compare-and-swap. The first version of a secret is current at once
 * (AWS makes it so): it is shown as staged too, as long as its staging label stands.
 */
export function awsStore(
  name: string,
  config: AwsStorePolicy,
  parts: {
    clock: Clock;
    random: Random;
    /** For HTTPS_PROXY and NO_PROXY. */
    env?: Readonly<Record<string, string | undefined>>;
    /** In place of one that is made from `config` upon the first call. */
    client?: SecretsManager;
    /** Told of each pause after AWS has throttled a call, in milliseconds. */
    onThrottled?: (ms: number) => void;
  },
): Store {
  const { client, env = {} } = parts;
  const secrets = awsSecrets(
    awsCalls(client ? async () => client : () => connect(config, env), parts),
    parts.clock,
  );
  return {
    name,
    location: ["aws-secrets-manager", config.endpoint ?? config.region ?? "default", config.profile]
      .filter((part) => part !== undefined)
      .join(":"),
    observe: (ref) => observe(secrets, ref),
    claim: (ref, owner, options) => claim(secrets, ref, owner, { ...options, config }),
    stage: (ref, request) => stage(secrets, ref, request),
    read: (ref, version) => read(secrets, ref, version),
    promote: (ref, version, base) => promote(secrets, ref, version, base),
    fence: (ref, base) => fence(secrets, ref, base),
    drop: (ref, version) => drop(secrets, ref, version),
    letGo: (ref) => secrets.letGo(ref),
    check: (ref) => check(secrets, ref),
  };
}

/** None where it was read lately; one call where the value comes with a label that keeps it; else DescribeSecret decides. */
async function read(secrets: AwsSecrets, ref: SecretRef, version: string): Promise<Secret | undefined> {
  const known = secrets.contents.get(ref, version);
  if (known !== undefined) return held({ SecretString: known.reveal() }, ref).value;
  const answer = await secrets.calls.get(ref, version);
  if (answer && readMarks(answer.VersionStages).kept) return valueIn(secrets, ref, version, answer);
  const shown = await secrets.describe(ref);
  const kept = shown?.current === version || readMarks(shown?.labels.get(version)).kept;
  if (shown === undefined || !kept) return undefined;
  if (answer) return valueIn(secrets, ref, version, answer);
  return (await readShownVersion(secrets, ref, shown, version)).value;
}

function valueIn(
  { contents }: AwsSecrets,
  ref: SecretRef,
  version: string,
  answer: GetSecretValueCommandOutput,
): Secret | undefined {
  const { text, value } = held(answer, ref);
  if (answer.ARN) contents.keep(ref, version, answer.ARN, new Secret(text));
  return value;
}

/**
 * A secret that is not there needs no fence: nothing can be put into it. In one without a version a
 * put that stalled still becomes current, because AWS makes the first version so.
 */
async function fence(secrets: AwsSecrets, ref: SecretRef, base: string): Promise<void> {
  const shown = await secrets.describe(ref);
  if (shown === undefined) return;
  if (shown.current !== undefined)
    throw shown.current === base ? notFenceable(ref) : movedOn(ref, base, shown.current);
  if (baseOf(shown) !== base) return;
  await secrets.calls.tag(ref, [{ Key: FENCE_TAG, Value: String(shown.fences + 1) }]);
  secrets.wrote(ref, "fence", (read) => read?.fences === shown.fences);
}

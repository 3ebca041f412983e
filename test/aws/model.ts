import type { Clock } from "../../src/lib/clock.ts";
import { exceeded, exists, invalid, ModelError, notFound, refused, validation } from "./model-error.ts";
import { labelsOf, type ModelVersion, type SecretState, versionOf } from "./secret-state.ts";
import { moveLabel, withLabel } from "./stages.ts";

const LARGEST = 65_536;
const MOST_VERSIONS = 100;
const MOST_TAGS = 50;
const DAY = 24 * 3_600_000;

/** What AWS leaves open, and what goes wrong around it. */
export interface AwsKnobs {
  /** How far DescribeSecret and GetSecretValue lag behind writes, in milliseconds on the model's clock. */
  describeLag: number;
  getLag: number;
  /** Actions that the caller is not allowed, like `secretsmanager:PutSecretValue` or `kms:Decrypt`. */
  denied: Set<string>;
  /** How many of the next requests are throttled. */
  throttle: number;
  /** Actions whose next reply is lost after they have taken effect, one entry a reply. */
  lostReplies: string[];
}

export interface AwsCall {
  action: string;
  input: Record<string, unknown>;
  /** The error's type, when it failed. */
  error?: string;
}

type Input = Record<string, unknown>;

/**
 * AWS Secrets Manager in one account and region, as AWS documents it: a put with the token of
 * another content fails, a label moves only from the version that has it, the first version is
 * current whatever is asked. An action either happens whole or throws ModelError and changes nothing.
 */
export class SecretsManagerModel {
  readonly clock: Clock;
  readonly region: string;
  readonly account = "111122223333";
  readonly knobs: AwsKnobs = { describeLag: 0, getLag: 0, denied: new Set(), throttle: 0, lostReplies: [] };
  /** Every request that was carried out or refused, in order. */
  readonly calls: AwsCall[] = [];
  /** By name: every state of each secret and since when, oldest first; undefined where there is none. */
  readonly #history = new Map<string, { at: number; state: SecretState | undefined }[]>();

  constructor(parts: { clock: Clock; region?: string }) {
    this.clock = parts.clock;
    this.region = parts.region ?? "eu-west-1";
  }

  /** Carries out an action, named as in X-Amz-Target, and gives its answer. Throws ModelError. */
  perform(action: string, input: Input): object {
    const call: AwsCall = { action, input };
    this.calls.push(call);
    try {
      if (this.knobs.throttle > 0) {
        this.knobs.throttle -= 1;
        throw new ModelError("ThrottlingException", "Rate exceeded");
      }
      if (this.knobs.denied.has(`secretsmanager:${action}`))
        throw new ModelError(
          "AccessDeniedException",
          `User: arn:aws:iam::${this.account}:user/keyturn is not authorized to perform: secretsmanager:${action} on resource: ${input.SecretId ?? input.Name} because no identity-based policy allows the secretsmanager:${action} action`,
        );
      return this.#act(action, input);
    } catch (error) {
      if (error instanceof ModelError) call.error = error.type;
      throw error;
    }
  }

  /** A secret as it is now, for tests; undefined when there is none. */
  secret(id: string): SecretState | undefined {
    return this.#history.get(this.#nameOf(id))?.at(-1)?.state;
  }

  /** What AWSCURRENT holds now, for tests and consumers. */
  current(id: string): string | undefined {
    const state = this.secret(id);
    return state && versionOf(state, state.labels.AWSCURRENT)?.string;
  }

  /** Sets what no call of ours sets: rotation by AWS, an owning service, a replica's primary region. */
  alter(
    id: string,
    change: Partial<Pick<SecretState, "rotation" | "owningService" | "primaryRegion">>,
  ): void {
    this.#save({ ...this.#live(id), ...change });
  }

  #act(action: string, input: Input): object {
    switch (action) {
      case "CreateSecret":
        return this.#create(input);
      case "DescribeSecret":
        return this.#describe(this.#read(input, this.knobs.describeLag));
      case "GetSecretValue":
        return this.#get(input);
      case "PutSecretValue":
        return this.#put(input);
      case "UpdateSecretVersionStage":
        return this.#updateStage(input);
      case "TagResource":
        return this.#tag(input);
      case "DeleteSecret":
        return this.#delete(input);
      case "RestoreSecret":
        return this.#restore(input);
      default:
        throw new ModelError("UnknownOperationException", `no such action: ${action}`);
    }
  }

  #create(input: Input): object {
    const name = String(input.Name);
    if (!/^[A-Za-z0-9/_+=.@-]{1,512}$/.test(name))
      throw validation(
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
      );
    const found = this.secret(name);
    if (found?.deletionAt !== undefined)
      throw refused(
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
      );
    if (found) throw exists(`The operation failed because the secret ${name} already exists.`);
    // AWS draws it: a secret that is made anew has another.
    const drawn = (this.#history.get(name)?.length ?? 0).toString(36);
    const suffix = (drawn + Buffer.from(name).toString("hex")).slice(0, 6).padEnd(6, "0");
    const now = this.clock.now();
    const empty: SecretState = {
      name,
      arn: `arn:aws:secretsmanager:${this.region}:${this.account}:secret:${name}-${suffix}`,
      createdAt: now,
      changedAt: now,
      ...(input.Description === undefined ? {} : { description: String(input.Description) }),
      ...(input.KmsKeyId === undefined ? {} : { kmsKeyId: String(input.KmsKeyId) }),
      tags: tagged({}, input.Tags),
      versions: [],
      labels: {},
    };
    const valued = input.SecretString !== undefined || input.SecretBinary !== undefined;
    const state = valued ? this.#withVersion(empty, input, ["AWSCURRENT"]) : empty;
    this.#save(state);
    return { ARN: state.arn, Name: name, ...(valued ? { VersionId: state.labels.AWSCURRENT } : {}) };
  }

  #describe(state: SecretState): object {
    const stages = state.versions
      .map(({ id }) => [id, labelsOf(state, id)] as const)
      .filter(([, labels]) => labels.length > 0);
    return {
      ARN: state.arn,
      Name: state.name,
      Description: state.description,
      KmsKeyId: state.kmsKeyId,
      RotationEnabled: state.rotation?.enabled,
      RotationLambdaARN: state.rotation?.lambda,
      OwningService: state.owningService,
      PrimaryRegion: state.primaryRegion,
      CreatedDate: state.createdAt / 1000,
      LastChangedDate: state.changedAt / 1000,
      DeletedDate: state.deletionAt === undefined ? undefined : state.deletionAt / 1000,
      Tags: Object.entries(state.tags).map(([Key, Value]) => ({ Key, Value })),
      VersionIdsToStages: stages.length > 0 ? Object.fromEntries(stages) : undefined,
    };
  }

  #get(input: Input): object {
    const state = this.#read(input, this.knobs.getLag);
    refuseDeleted(state);
    const { VersionId, VersionStage } = input as { VersionId?: string; VersionStage?: string };
    const stage = VersionStage ?? (VersionId === undefined ? "AWSCURRENT" : undefined);
    const id = VersionId ?? state.labels[stage as string];
    const version = versionOf(state, id);
    if (!version)
      throw notFound(`secret value for ${VersionId ? `VersionId: ${VersionId}` : `staging label: ${stage}`}`);
    if (stage !== undefined && state.labels[stage] !== id)
      throw refused("You provided a VersionStage that is not associated to the provided VersionId.");
    this.#useKms("kms:Decrypt", "DecryptionFailure");
    return {
      ARN: state.arn,
      Name: state.name,
      VersionId: version.id,
      SecretString: version.string,
      SecretBinary: version.binary,
      VersionStages: labelsOf(state, version.id),
      CreatedDate: version.createdAt / 1000,
    };
  }

  #put(input: Input): object {
    const state = this.#writable(input);
    const asked = input.VersionStages as string[] | undefined;
    if (asked?.length === 0) throw validation("VersionStages has at least one member");
    const token = String(input.ClientRequestToken);
    const before = versionOf(state, token);
    if (before) {
      if (before.string !== input.SecretString || before.binary !== input.SecretBinary)
        throw exists("You can't modify an existing version, you can only create a new version.");
      return this.#versionAnswer(state, token);
    }
    const next = this.#withVersion(state, input, asked ?? ["AWSCURRENT"]);
    this.#save(next);
    return this.#versionAnswer(next, token);
  }

  #updateStage(input: Input): object {
    const state = this.#writable(input);
    const next = moveLabel(state, String(input.VersionStage), {
      to: input.MoveToVersionId as string | undefined,
      from: input.RemoveFromVersionId as string | undefined,
    });
    this.#save(next);
    return { ARN: next.arn, Name: next.name };
  }

  #tag(input: Input): object {
    const state = this.#writable(input);
    this.#save({ ...state, tags: tagged(state.tags, input.Tags) });
    return {};
  }

  #delete(input: Input): object {
    const state = this.#live(String(input.SecretId));
    const days = Number(input.RecoveryWindowInDays ?? 30);
    const deletionAt = this.clock.now() + days * DAY;
    if (input.ForceDeleteWithoutRecovery) this.#record(state.name, undefined);
    else this.#save({ ...state, deletionAt });
    return { ARN: state.arn, Name: state.name, DeletionDate: deletionAt / 1000 };
  }

  #restore(input: Input): object {
    const { deletionAt: _, ...state } = this.#live(String(input.SecretId));
    this.#save(state);
    return { ARN: state.arn, Name: state.name };
  }

  /** The secret with a further version, the oldest deprecated ones forgotten where there are too many. */
  #withVersion(state: SecretState, input: Input, asked: readonly string[]): SecretState {
    const version = newVersion(input, this.clock.now());
    this.#useKms("kms:GenerateDataKey", "EncryptionFailure");
    const young = (other: ModelVersion) => this.clock.now() - other.createdAt < DAY;
    const versions = [...state.versions];
    while (versions.length >= MOST_VERSIONS) {
      const oldest = versions.findIndex((other) => labelsOf(state, other.id).length === 0 && !young(other));
      if (oldest < 0) throw exceeded("You have exceeded the quota for versions of a secret.");
      versions.splice(oldest, 1);
    }
    const labels = state.labels.AWSCURRENT === undefined ? [...asked, "AWSCURRENT"] : asked;
    const added: SecretState = { ...state, versions: [...versions, version] };
    return labels.reduce((before, label) => withLabel(before, label, version.id), added);
  }

  #versionAnswer(state: SecretState, version: string): object {
    return { ARN: state.arn, Name: state.name, VersionId: version, VersionStages: labelsOf(state, version) };
  }

  #useKms(action: string, failure: string): void {
    if (this.knobs.denied.has(action))
      throw new ModelError("AccessDeniedException", "Access to KMS is not allowed");
    if (this.knobs.denied.has(`${action} (key disabled)`))
      throw new ModelError(failure, "Secrets Manager can't use the provided KMS key: it is disabled.");
  }

  #writable(input: Input): SecretState {
    const state = this.#live(String(input.SecretId));
    refuseDeleted(state);
    if (state.owningService)
      throw refused(
        `The secret is managed by ${state.owningService}. You must use that service to update it.`,
      );
    if (state.primaryRegion && state.primaryRegion !== this.region)
      throw refused("You can't perform this operation on a replica secret.");
    return state;
  }

  #live(id: string): SecretState {
    const state = this.secret(id);
    if (!state) throw notFound();
    return state;
  }

  /** What a read sees: the state of a while ago, when it lags behind. */
  #read(input: Input, lag: number): SecretState {
    const history = this.#history.get(this.#nameOf(String(input.SecretId))) ?? [];
    const seen = history.findLast(({ at }) => at <= this.clock.now() - lag)?.state;
    if (!seen) throw notFound();
    return seen;
  }

  #save(state: SecretState): void {
    this.#record(state.name, { ...state, changedAt: this.clock.now() });
  }

  #record(name: string, state: SecretState | undefined): void {
    this.#history.set(name, [...(this.#history.get(name) ?? []), { at: this.clock.now(), state }]);
  }

  /** An id is a name, an ARN, or an ARN without the suffix of six characters. */
  #nameOf(id: string): string {
    const name = /^arn:[^:]+:secretsmanager:[^:]+:\d+:secret:(.+)$/.exec(id)?.[1];
    if (name === undefined) return id;
    return this.#history.has(name) ? name : name.replace(/-[A-Za-z0-9]{6}$/, "");
  }
}

function newVersion(input: Input, now: number): ModelVersion {
  const { ClientRequestToken: id, SecretString, SecretBinary } = input as Record<string, string | undefined>;
  if (id === undefined || id.length < 32 || id.length > 64)
    throw validation("ClientRequestToken has 32 to 64 characters");
  if ((SecretString === undefined) === (SecretBinary === undefined))
    throw invalid("You must provide either SecretString or SecretBinary.");
  const bytes =
    SecretString === undefined
      ? Buffer.from(SecretBinary ?? "", "base64").length
      : Buffer.byteLength(SecretString);
  if (bytes < 1 || bytes > LARGEST) throw validation(`a secret value has 1 to ${LARGEST} bytes`);
  return {
    id,
    ...(SecretString === undefined ? { binary: SecretBinary } : { string: SecretString }),
    createdAt: now,
  };
}

function tagged(before: Readonly<Record<string, string>>, given: unknown): Record<string, string> {
  const tags: Record<string, string> = { ...before };
  for (const { Key, Value } of (given ?? []) as { Key: string; Value: string }[]) {
    if (Key.length < 1 || Key.length > 128 || Value.length > 256) throw validation("a tag is too long");
    if (Key.startsWith("aws:")) throw invalid("Tag names that begin with aws: are reserved.");
    tags[Key] = Value;
  }
  if (Object.keys(tags).length > MOST_TAGS)
    throw exceeded("You have exceeded the quota for tags of a secret.");
  return tags;
}

function refuseDeleted(state: SecretState): void {
  if (state.deletionAt !== undefined)
    throw refused("You can't perform this operation on the secret because it was marked for deletion.");
}

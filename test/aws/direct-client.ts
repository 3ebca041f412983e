import type { SecretsManager } from "@aws-sdk/client-secrets-manager";
import type { SecretsManagerModel } from "./model.ts";
import { ModelError } from "./model-error.ts";

/** The actions of the model, by the name of the SDK's method. */
const ACTIONS = {
  createSecret: "CreateSecret",
  describeSecret: "DescribeSecret",
  getSecretValue: "GetSecretValue",
  putSecretValue: "PutSecretValue",
  updateSecretVersionStage: "UpdateSecretVersionStage",
  tagResource: "TagResource",
  deleteSecret: "DeleteSecret",
  restoreSecret: "RestoreSecret",
};

/**
 * A client of the model without the SDK's middleware, for simulations that make many calls. It
 * answers and throws what the SDK's own would: instants as Dates, bytes as Uint8Array, errors with
 * `name` and `$metadata`. Each call has its effect before it returns its promise. Only, it draws no
 * ClientRequestToken at random where none is given.
 */
export function directClient(model: SecretsManagerModel): SecretsManager {
  const calls = Object.entries(ACTIONS).map(([method, action]) => [
    method,
    async (input: Record<string, unknown>) => answered(model, action, input),
  ]);
  const config = { region: async () => model.region };
  return { config, ...Object.fromEntries(calls) } as SecretsManager;
}

function answered(model: SecretsManagerModel, action: string, input: Record<string, unknown>): object {
  const answer = performed(model, action, input);
  const lost = model.knobs.lostReplies.indexOf(action);
  if (lost < 0) return { ...parsed(answer), $metadata: { httpStatusCode: 200 } };
  model.knobs.lostReplies.splice(lost, 1);
  throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET", name: "TimeoutError" });
}

function performed(model: SecretsManagerModel, action: string, input: Record<string, unknown>): object {
  try {
    return model.perform(action, serialized(input));
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw Object.assign(new Error(error.message), {
      name: error.type,
      $fault: error.status < 500 ? "client" : "server",
      $metadata: { httpStatusCode: error.status },
    });
  }
}

function serialized(input: Record<string, unknown>): Record<string, unknown> {
  const { SecretBinary } = input;
  if (!(SecretBinary instanceof Uint8Array)) return input;
  return { ...input, SecretBinary: Buffer.from(SecretBinary).toString("base64") };
}

function parsed(answer: object): object {
  const fields = Object.entries(answer)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      if (name.endsWith("Date")) return [name, new Date(Math.round((value as number) * 1_000))];
      if (name === "SecretBinary") return [name, new Uint8Array(Buffer.from(value as string, "base64"))];
      return [name, value];
    });
  return Object.fromEntries(fields);
}

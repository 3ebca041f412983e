import { messageOf, RotationError } from "../../lib/errors.ts";
import { connectionError } from "./connection-errors.ts";
import { scheduledForDeletion } from "./shown.ts";

/** What a thrown value of the SDK is read for. */
interface Thrown {
  name: string;
  message: string;
  code: string | undefined;
  status: number | undefined;
}

/** Throttling has no class of its own in the SDK's model. */
const THROTTLED = /^(Throttl|TooManyRequests|RequestLimitExceeded|RequestThrottled|SlowDown|BandwidthLimit)/;

const CREDENTIALS =
  "give credentials by environment variables, a profile, or the role of the pod, task or instance";

/** What to do about credentials that are not accepted. */
const UNAUTHORIZED: Record<string, string> = {
  CredentialsProviderError: CREDENTIALS,
  TokenProviderError: CREDENTIALS,
  MissingAuthenticationTokenException: CREDENTIALS,
  UnrecognizedClientException:
    "the access key does not exist (any more), or is of another account or partition; check the credentials",
  InvalidClientTokenId: "the access key does not exist (any more); check the credentials",
  InvalidSignatureException:
    "check the secret access key, that the region is the endpoint's own, and that the clock is right",
  SignatureDoesNotMatch: "check the secret access key and the clock",
  IncompleteSignature: "check the credentials for stray characters",
  ExpiredTokenException: "the session has expired: renew it, or use credentials that renew themselves",
  ExpiredToken: "the session has expired: renew it, or use credentials that renew themselves",
  RequestExpired: "set this machine's clock right",
};

/** What each call needs of the secret's KMS key, where that is a customer managed one. */
const KMS_ACTIONS: Record<string, string> = { GetSecretValue: "kms:Decrypt" };
const KMS_WRITES = "kms:GenerateDataKey and kms:Decrypt";

/**
 * What the SDK threw in one attempt, as a RotationError. `absent`, `conflict` and `rejected` stand
 * for ResourceNotFound, ResourceExists and invalid parameters; the caller knows what they mean there.
 */
export function awsError(error: unknown, action: string, secret: string): RotationError {
  if (error instanceof RotationError) return error;
  const thrown = readThrown(error);
  const { name, status } = thrown;
  const what = `AWS ${action} of secret ${secret}`;
  const says = said(thrown);
  const fail = (...[code, message, hint]: [RotationError["code"], string, string?]) =>
    new RotationError(code, `${what} ${message}`, { hint, status });

  if (THROTTLED.test(name) || status === 429) return fail("throttled", `was throttled (${name})`);
  if (Object.hasOwn(UNAUTHORIZED, name))
    return fail("unauthorized", `found no accepted credentials${says}`, UNAUTHORIZED[name]);
  if (isKms(thrown)) {
    const needed = KMS_ACTIONS[action] ?? KMS_WRITES;
    return fail(
      "forbidden",
      `may not use the secret's KMS key${says}`,
      `allow ${needed} in the key's policy and to this identity, and see that the key is enabled`,
    );
  }
  if (/^(AccessDenied|UnauthorizedOperation|NotAuthorized)/.test(name)) {
    const missing = /to perform:? ([\w-]+:\w+)/.exec(thrown.message)?.[1] ?? `secretsmanager:${action}`;
    return fail("forbidden", `is not allowed${says}`, `allow ${missing} to this identity on this secret`);
  }
  switch (name) {
    case "ResourceNotFoundException":
      return fail("absent", "found nothing");
    case "ResourceExistsException":
      return fail("conflict", `found it there already${says}`);
    case "LimitExceededException":
      return fail(
        "full",
        `went past a quota${says}`,
        "a secret has about 100 versions and 20 staging labels: remove KEYTURN- labels from versions that nobody needs, or wait a day",
      );
    case "InvalidRequestException":
      if (/(scheduled|marked) for deletion|marked deleted/i.test(thrown.message))
        return scheduledForDeletion(secret);
      return fail("rejected", `was refused${says}`);
    case "InvalidParameterException":
      return fail("rejected", `was refused${says}`);
    case "ValidationException":
    case "SerializationException":
      return fail("rejected", `was refused (${name})`, "check the secret's name and the store's settings");
  }
  if (/region is missing/i.test(thrown.message)) {
    return new RotationError("unusable", `${what} was not sent: no region is given`, {
      hint: "set region on the store, or AWS_REGION",
    });
  }
  if (status === undefined) return connectionError(thrown, what, error);
  if (status >= 500) return fail("unclear", `was answered by ${status} (${name})`);
  return fail(
    "malformed",
    `got an answer that is not Secrets Manager's (${status})`,
    "check endpoint and HTTPS_PROXY",
  );
}

function isKms({ name, message }: Thrown): boolean {
  if (/^(KMS|DecryptionFailure|EncryptionFailure)/.test(name)) return true;
  return /^AccessDenied/.test(name) && /access to kms|to perform:? kms:/i.test(message);
}

/** What AWS says, for those of its answers that never quote a value. */
function said({ message }: Thrown): string {
  return message ? `: ${message.replace(/\s+/g, " ").slice(0, 400)}` : "";
}

function readThrown(error: unknown): Thrown {
  const { name, code, cause, $metadata } = Object(error) as Record<string, unknown>;
  const { httpStatusCode: status } = Object($metadata) as { httpStatusCode?: unknown };
  const codes = [code, (Object(cause) as { code?: unknown }).code];
  return {
    name: typeof name === "string" ? name : "",
    message: messageOf(error),
    code: codes.find((one) => typeof one === "string"),
    status: typeof status === "number" ? status : undefined,
  };
}

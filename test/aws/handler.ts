import type { Handler } from "../../src/sandbox/fault-answers.ts";
import type { SecretsManagerModel } from "./model.ts";
import { ModelError } from "./model-error.ts";

/** An access key that the model knows, and what is wrong with it, if anything. */
export interface ModelCredentials {
  secretAccessKey: string;
  expired?: boolean;
}

/** Credentials as the SDK takes them. */
export const CREDENTIALS = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG" };

/**
 * The model behind AWS's JSON 1.1 protocol: the action in X-Amz-Target, errors by `__type`. The
 * access key and the signature's region are checked as AWS does, the signature itself is not.
 */
export function secretsManagerApi(
  model: SecretsManagerModel,
  users: Record<string, ModelCredentials> = { [CREDENTIALS.accessKeyId]: CREDENTIALS },
): Handler {
  return async (request) => {
    try {
      authorize(request, model.region, users);
      const action = /^secretsmanager\.(\w+)$/.exec(request.headers.get("x-amz-target") ?? "")?.[1];
      if (request.method !== "POST" || action === undefined)
        throw new ModelError("UnknownOperationException", "no action is named");
      const answer = model.perform(action, (await request.json()) as Record<string, unknown>);
      const lost = model.knobs.lostReplies.indexOf(action);
      if (lost >= 0) {
        model.knobs.lostReplies.splice(lost, 1);
        return Response.error();
      }
      return reply(200, answer);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      return reply(error.status, { __type: error.type, Message: error.message, message: error.message });
    }
  };
}

function authorize(request: Request, region: string, users: Record<string, ModelCredentials>): void {
  const authorization = request.headers.get("authorization") ?? "";
  const scope = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^/]+)\/secretsmanager\/aws4_request/.exec(
    authorization,
  );
  const [, accessKey = "", scoped = ""] = scope ?? [];
  if (!scope) throw new ModelError("MissingAuthenticationTokenException", "Missing Authentication Token");
  const user = users[accessKey];
  if (!user)
    throw new ModelError(
      "UnrecognizedClientException",
      "The security token included in the request is invalid.",
    );
  if (user.expired)
    throw new ModelError("ExpiredTokenException", "The security token included in the request is expired");
  if (scoped !== region)
    throw new ModelError(
      "InvalidSignatureException",
      `Credential should be scoped to a valid region, not '${scoped}'. `,
    );
}

function reply(status: number, json: object): Response {
  return new Response(JSON.stringify(json), {
    status,
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amzn-requestid": "00000000-0000-0000-0000-000000000000",
    },
  });
}

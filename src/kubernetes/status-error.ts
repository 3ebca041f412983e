import { type ErrorDetails, RotationError } from "../lib/errors.ts";
import { redactOutput, redactQuoted } from "../lib/redact.ts";
import type { KubeAnswer } from "./api.ts";
import { type KubeCall, resourceSaid, said } from "./call.ts";

/** What the API server sends in place of an object. */
interface Status {
  message: string;
  reason: string;
  details: { name?: unknown; kind?: unknown };
}

/** No cluster is taken to ask for longer patience: a mistaken header must not silence us for days. */
const LONGEST_RETRY_AFTER = 3_600_000;
const LONGEST_QUOTE = 500;

/**
 * The error that an answer other than 2xx stands for, as {@link import("./api.ts").KubeApi} has
 * them. 404 is `absent` only when the API itself says so of the object that was asked for; of a
 * whole kind it is `unusable`, and from what is no API server `malformed`.
 */
export function statusError(call: KubeCall, answer: KubeAnswer): RotationError {
  const { status } = answer;
  const error = (code: RotationError["code"], what: string, details: ErrorDetails = {}) =>
    new RotationError(code, `cannot ${said(call)}: ${what}`, {
      status,
      ...(retryAfterMs(answer) === undefined ? {} : { retryAfterMs: retryAfterMs(answer) }),
      ...details,
    });
  const body = statusOf(answer.body);

  if (status >= 300 && status < 400) {
    return error("malformed", `a redirect (${status}) came in place of an answer; none is followed`, {
      hint: "check the address of the API server: something else answers there, such as a login page",
    });
  }
  if (status === 429) return error("throttled", "the API server asks for patience (429)");
  if (status === 408 || status >= 500) {
    return error("unclear", `the API server failed (${status}${body ? `: ${quoted(call, body)}` : ""})`);
  }
  if (!body) return foreignAnswer(call, answer, error);

  switch (status) {
    case 401:
      return error("unauthorized", "the API server does not accept our credentials (401)", {
        hint: "the token has expired, or is of another cluster: log in again, or check the pod's service account",
      });
    case 403:
      return forbidden(call, body, error);
    case 404:
      return notFound(call, body, error);
    case 409:
      return conflict(call, body, error);
    case 410:
      return error("unclear", `what it continues is too old (410: ${quoted(call, body)})`);
    case 413:
      return error("rejected", "it is larger than the API server takes (413)");
    default:
      return error("rejected", `${quoted(call, body)} (${status})`);
  }
}

type Make = (code: RotationError["code"], what: string, details?: ErrorDetails) => RotationError;

/** 401 and "404 page not found" may come as plain text too; anything else is not the API's. */
function foreignAnswer(call: KubeCall, { status, body }: KubeAnswer, error: Make): RotationError {
  if (status === 401) return error("unauthorized", "our credentials are not accepted (401)");
  if (status === 404 && isPlainNotFound(body) && isCustom(call)) return unknownKind(call, error);
  return error("malformed", `the answer (${status}) is not one of a Kubernetes API server`, {
    hint: "check the address of the API server, and what stands between",
  });
}

function forbidden(call: KubeCall, body: Status, error: Make): RotationError {
  const what = quoted(call, body);
  if (!/ cannot [a-z]+ resource /.test(body.message)) {
    return error("forbidden", what, { hint: "a rule of the cluster other than RBAC refuses it" });
  }
  const verb = body.message.match(/ cannot ([a-z]+) resource /)?.[1] ?? call.verb;
  return error("forbidden", what, {
    hint:
      `allow ${verb} on ${resourceSaid(call)} in namespace ${call.namespace}: ` +
      "`rotate init --kubernetes-rbac` prints the Role, the RoleBinding and the objects to apply",
  });
}

function notFound(call: KubeCall, body: Status, error: Make): RotationError {
  const { kind, name } = body.details;
  if (kind === "namespaces") {
    return error("absent", `there is no namespace ${call.namespace}`, {
      hint: "create it, or correct the namespace in the policy",
    });
  }
  if (kind === call.resource.plural && name !== undefined && name === call.name) {
    return error("absent", "there is none of that name");
  }
  if (isCustom(call)) return unknownKind(call, error);
  return error("malformed", `the answer is 404, but not of that object: ${quoted(call, body)}`);
}

function unknownKind({ resource }: KubeCall, error: Make): RotationError {
  return error(
    "unusable",
    `the cluster has no kind ${resource.kind} (${resource.group}/${resource.version})`,
    {
      hint: `install its custom resource definition, or a release that serves ${resource.version}`,
    },
  );
}

function conflict(call: KubeCall, body: Status, error: Make): RotationError {
  // A replace by uid of what is gone is answered thus, and not by 404.
  if (call.verb === "update" && /UID in object meta:\s*$/.test(body.message)) {
    return error("absent", "it is gone", { status: 409 });
  }
  return error("conflict", body.reason === "AlreadyExists" ? "there is one already" : quoted(call, body));
}

/** Kinds of other makers, which an API server may lack. */
function isCustom({ resource: { group } }: KubeCall): boolean {
  return group.includes(".") && !group.endsWith(".k8s.io");
}

function isPlainNotFound(body: unknown): boolean {
  return typeof body === "string" && body.trim() === "404 page not found";
}

function statusOf(body: unknown): Status | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { kind, message, reason, details } = body as Record<string, unknown>;
  if (kind !== "Status") return undefined;
  return {
    message: typeof message === "string" ? message : "",
    reason: typeof reason === "string" ? reason : "",
    details: typeof details === "object" && details !== null ? details : {},
  };
}

/** What the server says of a Secret's content might hold some of it. */
function quoted(call: KubeCall, { message, reason }: Status): string {
  const line = message.replace(/\s+/g, " ").trim() || reason || "no reason given";
  const content = call.resource.kind === "Secret" && !/is forbidden|has been modified/.test(line);
  const safe = content ? redactOutput(line) : redactQuoted(line);
  return safe.length <= LONGEST_QUOTE ? safe : `${safe.slice(0, LONGEST_QUOTE - 1)}…`;
}

/** The API server states seconds. */
function retryAfterMs({ headers }: KubeAnswer): number | undefined {
  const text = headers["retry-after"]?.trim() ?? "";
  return /^\d+$/.test(text) ? Math.min(Number(text) * 1_000, LONGEST_RETRY_AFTER) : undefined;
}

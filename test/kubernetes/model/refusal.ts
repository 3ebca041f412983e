import type { KubeAnswer } from "../../../src/kubernetes/api.ts";

/** What the API server says in place of an object; thrown inside the model. */
export class Refusal extends Error {
  readonly answer: KubeAnswer;

  constructor(
    status: number,
    reason: string,
    message: string,
    more: { details?: object; headers?: KubeAnswer["headers"]; metadata?: object } = {},
  ) {
    super(message);
    const body = {
      kind: "Status",
      apiVersion: "v1",
      metadata: more.metadata ?? {},
      status: "Failure",
      message,
      ...(reason && { reason }),
      ...(more.details && { details: more.details }),
      code: status,
    };
    this.answer = { status, body, headers: more.headers ?? {} };
  }
}

/** How errors name a kind: `secrets`, `deployments.apps`. */
export function qualified({ group, plural }: { group: string; plural: string }): string {
  return group === "" ? plural : `${plural}.${group}`;
}

interface Named {
  group: string;
  plural: string;
  kind: string;
}

function details({ group, plural }: Named, name?: string) {
  return { ...(name && { name }), ...(group && { group }), kind: plural };
}

export function notFound(kind: Named, name: string): Refusal {
  return new Refusal(404, "NotFound", `${qualified(kind)} "${name}" not found`, {
    details: details(kind, name),
  });
}

export function alreadyExists(kind: Named, name: string): Refusal {
  return new Refusal(409, "AlreadyExists", `${qualified(kind)} "${name}" already exists`, {
    details: details(kind, name),
  });
}

export function conflict(
  kind: Named,
  name: string,
  why = "the object has been modified; please apply your changes to the latest version and try again",
): Refusal {
  const message = `Operation cannot be fulfilled on ${qualified(kind)} "${name}": ${why}`;
  return new Refusal(409, "Conflict", message, { details: details(kind, name) });
}

export function badRequest(message: string): Refusal {
  return new Refusal(400, "BadRequest", message);
}

/** One thing wrong with an object: `Invalid value`, `Forbidden`, `Required value`, `Too long` … */
export interface FieldFault {
  field: string;
  type: "Invalid value" | "Forbidden" | "Required value" | "Too long" | "Unsupported value";
  value?: unknown;
  says: string;
}

const CAUSES: Readonly<Record<FieldFault["type"], string>> = {
  "Invalid value": "FieldValueInvalid",
  Forbidden: "FieldValueForbidden",
  "Required value": "FieldValueRequired",
  "Too long": "FieldValueTooLong",
  "Unsupported value": "FieldValueNotSupported",
};

export function invalid(kind: Named, name: string, faults: FieldFault[]): Refusal {
  const lines = faults.map(({ field, type, value, says }) => {
    const shown = type === "Invalid value" ? `: ${JSON.stringify(value)}` : "";
    return `${field}: ${type}${shown}${says && `: ${says}`}`;
  });
  const all = lines.length === 1 ? lines[0] : `[${lines.join(", ")}]`;
  const full = kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
  return new Refusal(422, "Invalid", `${full} "${name}" is invalid: ${all}`, {
    details: {
      ...(name && { name }),
      ...(kind.group && { group: kind.group }),
      kind: kind.kind,
      causes: faults.map(({ field, type, says }) => ({
        reason: CAUSES[type],
        message: `${type}${says && `: ${says}`}`,
        field,
      })),
    },
  });
}

export function forbidden(attributes: {
  user: string;
  verb: string;
  group: string;
  plural: string;
  namespace: string;
  name?: string;
}): Refusal {
  const { user, verb, group, plural, namespace, name } = attributes;
  const where = namespace === "" ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const message =
    `${qualified({ group, plural })}${name ? ` "${name}"` : ""} is forbidden: User "${user}" ` +
    `cannot ${verb} resource "${plural}" in API group "${group}" ${where}`;
  return new Refusal(403, "Forbidden", message, {
    details: { ...(name && { name }), ...(group && { group }), kind: plural },
  });
}

export function unauthorized(): Refusal {
  return new Refusal(401, "Unauthorized", "Unauthorized");
}

import type { KubeObject } from "../../../src/kubernetes/api.ts";
import { checkTypes } from "./decode.ts";
import { copy, isObject, type Json } from "./json.ts";
import { apiVersionOf, type Kind } from "./kinds.ts";
import { badRequest, type FieldFault, invalid, Refusal } from "./refusal.ts";

/** What a patch makes unreadable is invalid, not a bad request. */
export function decodePatched(kind: Kind, body: Json, namespace: string): KubeObject {
  try {
    checkTypes(kind.kind, kind.version, kind.shape, body);
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown;
    const fault: FieldFault = {
      field: "patch",
      type: "Invalid value",
      value: "the object",
      says: thrown.message,
    };
    throw invalid({ group: "", plural: "", kind: "" }, "", [fault]);
  }
  return decodeObject(kind, body, namespace);
}

/** What a client sent, as an object of its kind: without the fields that the kind does not know. Throws 400. */
export function decodeObject(kind: Kind, body: unknown, namespace: string): KubeObject {
  if (!isObject(body)) throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind})`);
  if (!body.kind) throw badRequest("Object 'Kind' is missing in the body");
  if (!body.apiVersion) throw badRequest("Object 'apiVersion' is missing in the body");
  const [sent, expected] = [
    `${body.apiVersion}, Kind=${body.kind}`,
    `${apiVersionOf(kind)}, Kind=${kind.kind}`,
  ];
  if (sent !== expected) {
    throw badRequest(
      `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${sent}`,
    );
  }
  checkTypes(kind.kind, kind.version, kind.shape, body);
  const object = copy(body) as unknown as KubeObject;
  if (object.metadata.namespace && object.metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  if (!kind.fields) return object;
  const known = ["apiVersion", "kind", "metadata", ...kind.fields];
  return Object.fromEntries(
    Object.entries(object).filter(([field, value]) => known.includes(field) && value !== null),
  ) as unknown as KubeObject;
}

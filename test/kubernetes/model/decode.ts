import { isObject, type Json } from "./json.ts";
import { badRequest } from "./refusal.ts";

export type FieldType =
  | "string"
  | "int32"
  | "bool"
  | "microTime"
  | "time"
  | "strings"
  | "base64"
  | "object"
  | "list";

/** Fields by their path; what is under no named path is dropped when the kind is closed there. */
export type Shape = Readonly<Record<string, FieldType>>;

const METADATA: Shape = {
  "metadata.name": "string",
  "metadata.namespace": "string",
  "metadata.uid": "string",
  "metadata.resourceVersion": "string",
  "metadata.labels": "strings",
  "metadata.annotations": "strings",
  "metadata.finalizers": "list",
  "metadata.ownerReferences": "list",
};

const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:Z|[+-]\d\d:\d\d)$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Refuses values of a wrong type with 400, as decoding into Go's structs does. */
export function checkTypes(kind: string, version: string, shape: Shape, object: Json): void {
  const refusal = (why: string) =>
    badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);
  const check = (path: string, type: FieldType, value: unknown): void => {
    if (value === undefined || value === null) return;
    const mismatch = (go: string, found = value) =>
      refusal(`json: cannot unmarshal ${named(found)} into Go struct field ${kind}.${path} of type ${go}`);
    switch (type) {
      case "string":
        if (typeof value !== "string") throw mismatch("string");
        break;
      case "bool":
        if (typeof value !== "boolean") throw mismatch("bool");
        break;
      case "int32":
        if (!Number.isInteger(value) || Math.abs(value as number) >= 2 ** 31) throw mismatch("int32");
        break;
      case "object":
        if (!isObject(value)) throw mismatch("struct");
        break;
      case "list":
        if (!Array.isArray(value)) throw mismatch("slice");
        break;
      case "time":
      case "microTime": {
        if (typeof value !== "string") throw mismatch("Time");
        if ((type === "time" ? TIME : MICRO_TIME).test(value) && !Number.isNaN(Date.parse(value))) break;
        const layout = type === "time" ? "2006-01-02T15:04:05Z07:00" : "2006-01-02T15:04:05.000000Z07:00";
        throw refusal(`parsing time ${JSON.stringify(value)} as "${layout}": cannot parse`);
      }
      case "strings":
      case "base64":
        if (!isObject(value)) throw mismatch("map");
        for (const inner of Object.values(value)) {
          if (inner !== null && typeof inner !== "string") throw mismatch("string", inner);
          if (type === "base64" && !BASE64.test(String(inner ?? "").replace(/[\r\n]/g, ""))) {
            throw refusal("illegal base64 data at input byte 0");
          }
        }
    }
  };
  if (!isObject(object.metadata)) throw refusal("metadata is missing");
  for (const [path, type] of Object.entries({ ...METADATA, ...shape })) {
    const value = path.split(".").reduce<unknown>((inner, name) => {
      if (inner === undefined || inner === null) return undefined;
      if (!isObject(inner)) throw refusal(`json: cannot unmarshal ${named(inner)} into ${path}`);
      return inner[name];
    }, object);
    check(path, type, value);
  }
}

function named(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return value !== null && typeof value === "object"
    ? "object"
    : typeof value === "boolean"
      ? "bool"
      : typeof value;
}

/** Without what Go leaves out of JSON: nulls and empty maps and lists of metadata and of the maps of data. */
export function withoutEmpty(object: Json): Json {
  const empty = (value: unknown) =>
    value === null || value === undefined || (typeof value === "object" && Object.keys(value).length === 0);
  const drop = (fields: Json, names: readonly string[]) =>
    Object.fromEntries(
      Object.entries(fields).filter(([name, value]) => !names.includes(name) || !empty(value)),
    );
  const inMetadata = [
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
    "managedFields",
    "generateName",
  ];
  const outer = drop(object, ["data", "binaryData", "stringData", "immutable"]);
  return { ...outer, metadata: drop(object.metadata as Json, inMetadata) };
}

import type { KubeMetadata } from "../../../src/kubernetes/api.ts";
import { at, isObject, type Json, same } from "./json.ts";
import type { FieldFault } from "./refusal.ts";

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const MEBIBYTE = 1024 * 1024;
const ANNOTATIONS_LIMIT = 256 * 1024;

const bytes = (text: string) => Buffer.byteLength(text);
const wrong = (field: string, value: unknown, says: string): FieldFault => ({
  field,
  type: "Invalid value",
  value,
  says,
});

export function metadataFaults({ name, labels = {}, annotations = {} }: KubeMetadata): FieldFault[] {
  const faults: FieldFault[] = [];
  if (!name)
    faults.push({
      field: "metadata.name",
      type: "Required value",
      says: "name or generateName is required",
    });
  else if (name.length > 253 || !SUBDOMAIN.test(name)) {
    faults.push(wrong("metadata.name", name, "a lowercase RFC 1123 subdomain must consist of lower case …"));
  }
  for (const [key, value] of Object.entries(labels)) {
    faults.push(...keyFaults("metadata.labels", key, key));
    if (value.length > 63) faults.push(wrong("metadata.labels", value, "must be no more than 63 bytes"));
    else if (value !== "" && !LABEL_NAME.test(value)) {
      faults.push(wrong("metadata.labels", value, "a valid label must be an empty string or consist of …"));
    }
  }
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    faults.push(...keyFaults("metadata.annotations", key, key.toLowerCase()));
    size += bytes(key) + bytes(value);
  }
  if (size > ANNOTATIONS_LIMIT) {
    const says = `may not be more than ${ANNOTATIONS_LIMIT} bytes`;
    faults.push({ field: "metadata.annotations", type: "Too long", says });
  }
  return faults;
}

function keyFaults(field: string, shown: string, key: string): FieldFault[] {
  const parts = key.split("/");
  const [prefix, name] = parts.length === 1 ? [undefined, parts[0]] : [parts[0], parts[1]];
  const good =
    parts.length <= 2 &&
    name !== undefined &&
    name.length <= 63 &&
    LABEL_NAME.test(name) &&
    (prefix === undefined || (prefix.length <= 253 && SUBDOMAIN.test(prefix)));
  return good
    ? []
    : [wrong(field, shown, "name part must consist of alphanumeric characters, '-', '_' or '.'")];
}

function dataKeyFaults(field: string, key: string): FieldFault[] {
  const good = /^[-._a-zA-Z0-9]+$/.test(key) && key.length <= 253 && key !== "." && !key.startsWith("..");
  return good ? [] : [wrong(`${field}[${key}]`, key, "a valid config key must consist of alphanumeric …")];
}

const decodedSize = (text: string) => Buffer.from(text, "base64").length;

function immutableFaults(object: Json, before: Json | undefined, fields: string[]): FieldFault[] {
  if (before?.immutable !== true) return [];
  const says = "field is immutable when `immutable` is set";
  const faults: FieldFault[] = [];
  if (object.immutable !== true) faults.push({ field: "immutable", type: "Forbidden", says });
  for (const field of fields) {
    if (!same(object[field] ?? {}, before[field] ?? {})) faults.push({ field, type: "Forbidden", says });
  }
  return faults;
}

/** What a Secret of a built-in type must hold. */
const REQUIRED = new Map<unknown, readonly string[]>([
  ["kubernetes.io/tls", ["tls.crt", "tls.key"]],
  ["kubernetes.io/dockercfg", [".dockercfg"]],
  ["kubernetes.io/dockerconfigjson", [".dockerconfigjson"]],
  ["kubernetes.io/ssh-auth", ["ssh-privatekey"]],
]);

export function secretFaults(object: Json, before?: Json): FieldFault[] {
  const data = (object.data ?? {}) as Record<string, string>;
  const faults = immutableFaults(object, before, ["data"]);
  if (before && object.type !== before.type) {
    faults.push(wrong("type", object.type, "field is immutable"));
  }
  for (const key of Object.keys(data)) faults.push(...dataKeyFaults("data", key));
  const size = Object.values(data).reduce((sum, value) => sum + decodedSize(value), 0);
  if (size > MEBIBYTE) {
    faults.push({ field: "data", type: "Too long", says: `may not be more than ${MEBIBYTE} bytes` });
  }
  for (const key of REQUIRED.get(object.type) ?? []) {
    if (!(key in data)) faults.push({ field: `data[${key}]`, type: "Required value", says: "" });
  }
  return faults;
}

export function configMapFaults(object: Json, before?: Json): FieldFault[] {
  const data = (object.data ?? {}) as Record<string, string>;
  const binary = (object.binaryData ?? {}) as Record<string, string>;
  const faults = immutableFaults(object, before, ["data", "binaryData"]);
  for (const key of Object.keys(data)) {
    faults.push(...dataKeyFaults("data", key));
    if (key in binary) faults.push(wrong(`data[${key}]`, key, "duplicate of key present in binaryData"));
  }
  for (const key of Object.keys(binary)) faults.push(...dataKeyFaults("binaryData", key));
  const size =
    Object.values(data).reduce((sum, value) => sum + bytes(value), 0) +
    Object.values(binary).reduce((sum, value) => sum + decodedSize(value), 0);
  if (size > MEBIBYTE) {
    faults.push({ field: "[]", type: "Too long", says: `may not be more than ${MEBIBYTE} bytes` });
  }
  return faults;
}

export function leaseFaults({ spec = {} }: { spec?: Json }): FieldFault[] {
  const { leaseDurationSeconds: seconds, leaseTransitions: transitions, strategy, preferredHolder } = spec;
  const faults: FieldFault[] = [];
  if (typeof seconds === "number" && seconds <= 0) {
    faults.push(wrong("spec.leaseDurationSeconds", seconds, "must be greater than 0"));
  }
  if (typeof transitions === "number" && transitions < 0) {
    faults.push(wrong("spec.leaseTransitions", transitions, "must be greater than or equal to 0"));
  }
  if (preferredHolder && !strategy) {
    const says = "may only be specified if `strategy` is defined";
    faults.push({ field: "spec.preferredHolder", type: "Forbidden", says });
  }
  return faults;
}

export function eventFaults(object: Json): FieldFault[] {
  const namespace = at(object, "metadata", "namespace");
  const involved = at(object, "involvedObject", "namespace") ?? "";
  const faults: FieldFault[] = [];
  if (!object.eventTime) {
    if (involved !== namespace && !(involved === "" && namespace === "default")) {
      faults.push(wrong("involvedObject.namespace", involved, "does not match event.namespace"));
    }
    return faults;
  }
  if (involved === "" && !["default", "kube-system"].includes(String(namespace))) {
    faults.push(wrong("involvedObject.namespace", involved, "does not match event.namespace"));
  }
  for (const field of ["reportingComponent", "reportingInstance", "action", "reason"]) {
    if (!object[field]) faults.push({ field, type: "Required value", says: "" });
    else if (field !== "reportingComponent" && bytes(String(object[field])) > 128) {
      faults.push(wrong(field, "", "can have at most 128 characters"));
    }
  }
  if (bytes(String(object.message ?? "")) > 1024) {
    faults.push(wrong("message", "", "can have at most 1024 characters"));
  }
  return faults;
}

/** Of Deployment, StatefulSet, DaemonSet and ReplicaSet. */
export function workloadFaults(object: Json, before?: Json): FieldFault[] {
  const faults: FieldFault[] = [];
  const selector = at(object, "spec", "selector", "matchLabels");
  const labels = at(object, "spec", "template", "metadata", "labels");
  const wanted = isObject(selector) ? Object.entries(selector) : [];
  if (wanted.length === 0) faults.push({ field: "spec.selector", type: "Required value", says: "" });
  if (!isObject(labels) || wanted.some(([key, value]) => labels[key] !== value)) {
    const says = "`selector` does not match template `labels`";
    faults.push(wrong("spec.template.metadata.labels", labels ?? null, says));
  }
  const replicas = at(object, "spec", "replicas");
  if (typeof replicas === "number" && replicas < 0)
    faults.push(wrong("spec.replicas", replicas, "must be greater than or equal to 0"));
  const containers = at(object, "spec", "template", "spec", "containers");
  if (!Array.isArray(containers) || containers.length === 0) {
    faults.push({ field: "spec.template.spec.containers", type: "Required value", says: "" });
  }
  if (before && !same(at(before, "spec", "selector"), at(object, "spec", "selector"))) {
    faults.push(wrong("spec.selector", selector, "field is immutable"));
  }
  const { annotations } = (at(object, "spec", "template", "metadata") ?? {}) as KubeMetadata;
  const template = { name: "template", ...(annotations && { annotations }) };
  faults.push(...metadataFaults(template).map((f) => ({ ...f, field: `spec.template.${f.field}` })));
  return faults;
}

/** All of a pod's spec but a few fields stands fast. */
export function podFaults(object: Json, before?: Json): FieldFault[] {
  if (!before || same(object.spec, before.spec)) return [];
  const says = "pod updates may not change fields other than `spec.containers[*].image`, …";
  return [{ field: "spec", type: "Forbidden", says }];
}

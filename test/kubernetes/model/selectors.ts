import type { KubeObject } from "../../../src/kubernetes/api.ts";
import { at } from "./json.ts";
import { badRequest } from "./refusal.ts";

type Matches = (object: KubeObject) => boolean;

const KEY = "[A-Za-z0-9](?:[\\w./-]*[A-Za-z0-9])?";
const REQUIREMENTS: [RegExp, (key: string, rest: string) => (labels: Record<string, string>) => boolean][] = [
  [new RegExp(`^(${KEY})$`), (key) => (labels) => key in labels],
  [new RegExp(`^!\\s*(${KEY})$`), (key) => (labels) => !(key in labels)],
  [new RegExp(`^(${KEY})\\s*==?\\s*([\\w.-]*)$`), (key, value) => (labels) => labels[key] === value],
  [new RegExp(`^(${KEY})\\s*!=\\s*([\\w.-]*)$`), (key, value) => (labels) => labels[key] !== value],
  [
    new RegExp(`^(${KEY})\\s+in\\s*\\(([^()]+)\\)$`),
    (key, set) => (labels) => key in labels && words(set).includes(labels[key] ?? ""),
  ],
  [
    new RegExp(`^(${KEY})\\s+notin\\s*\\(([^()]+)\\)$`),
    (key, set) => (labels) => !(key in labels && words(set).includes(labels[key] ?? "")),
  ],
];

const words = (set: string) => set.split(",").map((word) => word.trim());

export function labelMatcher(selector: string): Matches {
  const parts = selector.split(/,(?![^(]*\))/).map((part) => part.trim());
  if (selector.trim() === "") return () => true;
  const requirements = parts.map((part) => {
    for (const [pattern, make] of REQUIREMENTS) {
      const found = part.match(pattern);
      if (found) return make(found[1] as string, found[2] ?? "");
    }
    throw badRequest(`unable to parse requirement: found '${part}', expected: identifier`);
  });
  return ({ metadata: { labels = {} } }) => requirements.every((meets) => meets(labels));
}

/** The fields that the API server lets one select by, beside metadata's. */
const FIELDS: Record<string, readonly string[]> = {
  pods: ["spec.nodeName", "spec.serviceAccountName", "status.phase", "status.podIP"],
  secrets: ["type"],
  events: [
    ...["kind", "namespace", "name", "uid", "apiVersion"].map((field) => `involvedObject.${field}`),
    "reason",
    "type",
    "reportingComponent",
  ],
  replicasets: ["status.replicas"],
};

export function fieldMatcher(plural: string, selector: string): Matches {
  if (selector.trim() === "") return () => true;
  const terms = selector.split(",").map((term) => {
    const found = term.match(/^([^=!]+)(==?|!=)(.*)$/);
    if (!found) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`);
    const [, field = "", operator, value = ""] = found;
    if (!["metadata.name", "metadata.namespace", ...(FIELDS[plural] ?? [])].includes(field)) {
      throw badRequest(`field label not supported: ${field}`);
    }
    const has = (object: KubeObject) => String(at(object, ...field.split(".")) ?? "") === value;
    return operator === "!=" ? (object: KubeObject) => !has(object) : has;
  });
  return (object) => terms.every((matches) => matches(object));
}

/** The one name that a field selector asks for, which stands in the request's place for RBAC. */
export function nameAskedFor(selector: string): string | undefined {
  return selector
    .split(",")
    .map((term) => term.match(/^metadata\.name==?(.+)$/)?.[1])
    .find((name) => name !== undefined);
}

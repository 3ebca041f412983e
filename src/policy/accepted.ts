import { inputSchema, type JsonSchema } from "./json-schema.ts";
import { child, type Path, type Tree } from "./tree.ts";

let root: JsonSchema | undefined;

/** What may stand at a path, as the end of "accepted: …". */
export function acceptedAt(path: Path): string {
  const texts = schemasAt(path).map(acceptedBy);
  return [...new Set(texts)].join(" or ") || "nothing";
}

/** The fields that a map at a path may have; `found`, what is written there, tells by its type which map is meant. */
export function fieldsAt(path: Path, found?: Tree): string[] {
  const alternatives = schemasAt(path).flatMap(alternativesOf);
  const meant = alternatives.filter((schema) => isMeant(schema, found));
  const fields = (meant.length > 0 ? meant : alternatives).flatMap(({ properties = {} }) =>
    Object.keys(properties),
  );
  return [...new Set(fields)];
}

function isMeant({ properties = {} }: JsonSchema, found: Tree | undefined): boolean {
  return Object.entries(properties).every(([field, { const: word }]) => {
    const written = word === undefined || !found ? undefined : child(found, field);
    return written?.kind !== "scalar" || written.value === word;
  });
}

/** The words that may stand at a path, where only certain words may. */
export function wordsAt(path: Path): string[] {
  return schemasAt(path)
    .flatMap(alternativesOf)
    .flatMap((schema) => [...(schema.enum ?? []), schema.const])
    .filter((word) => typeof word === "string");
}

/** What a field of a map of free names may be called, as the end of "accepted: …". */
export function namesAcceptedAt(path: Path): string {
  const names = schemasAt(path)
    .flatMap(alternativesOf)
    .find((schema) => schema.propertyNames)?.propertyNames;
  return names?.accepts ?? "a name";
}

function schemasAt(path: Path): JsonSchema[] {
  root ??= inputSchema();
  let schemas = [root];
  for (const step of path) {
    schemas = schemas.flatMap(alternativesOf).flatMap((schema) => {
      const next =
        typeof step === "number" ? schema.items : (schema.properties?.[step] ?? schema.additionalProperties);
      return typeof next === "object" ? [next] : [];
    });
  }
  return schemas;
}

function alternativesOf(schema: JsonSchema): JsonSchema[] {
  const alternatives = schema.anyOf ?? schema.oneOf;
  return alternatives ? alternatives.flatMap(alternativesOf) : [schema];
}

/** What a schema accepts, in words. */
export function acceptedBy(schema: JsonSchema): string {
  if (schema.accepts) return schema.accepts;
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return alternatives.map(acceptedBy).join(" or ");
  if (schema.enum) return schema.enum.map(String).join(", ");
  if (schema.const !== undefined) return String(schema.const);
  if (schema.type === "object") {
    const fields = Object.keys(schema.properties ?? {});
    return fields.length > 0 ? `{ ${fields.join(", ")} }` : "a map";
  }
  if (schema.type === "array") return schema.items ? `a list of ${acceptedBy(schema.items)}` : "a list";
  if (schema.type === "number" || schema.type === "integer") return describeNumber(schema);
  const words: Record<string, string> = {
    string: "text",
    boolean: "true or false",
    array: "a list",
    null: "null",
  };
  return words[schema.type ?? ""] ?? "a value";
}

function describeNumber({ type, minimum, maximum, exclusiveMinimum }: JsonSchema): string {
  const noun = type === "integer" ? "a whole number" : "a number";
  if (exclusiveMinimum !== undefined) return `${noun} greater than ${exclusiveMinimum}`;
  if (minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER) return noun;
  const bounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  return bounded ? `${noun} from ${minimum} to ${maximum}` : `${noun} of at least ${minimum}`;
}

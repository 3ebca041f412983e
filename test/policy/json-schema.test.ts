import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { editorSchema, type JsonSchema } from "../../src/policy/json-schema.ts";

const file = resolve(import.meta.dirname, "../../config/rotation.schema.json");

test("config/rotation.schema.json is what the schema says (npm run schema writes it)", async () => {
  expect(await readFile(file, "utf8")).toBe(`${JSON.stringify(editorSchema(), null, 2)}\n`);
});

test("editors are offered defaults: the fields of a key, none required, but its name", () => {
  const { keys, defaults } = editorSchema().properties ?? {};
  const ofKeys = Object.keys(keys?.items?.properties ?? {});
  expect(Object.keys(defaults?.properties ?? {})).toEqual(ofKeys.filter((field) => field !== "name"));
  expect([defaults?.required, defaults?.properties?.store?.required]).toEqual([undefined, undefined]);
  expect(keys?.items?.properties?.store?.required).toEqual(["use", "secret"]);
});

test("editors do not mark a reference to the environment as wrong", () => {
  const properties = editorSchema().properties?.keys?.items?.properties ?? {};
  const pattern = new RegExp(properties.spread?.pattern ?? "");
  expect(["30m", `\${SPREAD:-30m}`, "soon"].map((text) => pattern.test(text))).toEqual([true, true, false]);
});

test("every field of a key has a description for editors, or a type that says it all", () => {
  const bare = Object.entries(editorSchema().properties?.keys?.items?.properties ?? {})
    .filter(([, field]: [string, JsonSchema]) => field.description === undefined && field.type !== "object")
    .map(([name]) => name);
  expect(bare).toEqual([]);
});

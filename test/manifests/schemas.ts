import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Schema, strict } from "./strict-schema.ts";

/**
 * `node schemas.ts SWAGGER FOLDER`: writes one strict JSON schema for each kind of the Kubernetes
 * API's OpenAPI v2 document, under the names that kubeconform looks for with the template
 * `{{ .ResourceKind }}{{ .KindSuffix }}.json`.
 */
interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

const QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity";

const [, , swagger = "", folder = ""] = process.argv;
const { definitions } = JSON.parse(readFileSync(swagger, "utf8")) as { definitions: Record<string, Schema> };

const strictly = Object.fromEntries(Object.entries(definitions).map(([name, one]) => [name, strict(one)]));
// Numbers are taken too where a quantity stands.
strictly[QUANTITY] = { anyOf: [{ type: "string" }, { type: "number" }] };

/** The names of all definitions that one leads to, itself included. */
function reached(name: string, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found;
  found.add(name);
  for (const [, next = ""] of JSON.stringify(strictly[name]).matchAll(/"#\/definitions\/([^"]+)"/g))
    reached(next, found);
  return found;
}

mkdirSync(folder, { recursive: true });
let written = 0;
for (const [name, schema] of Object.entries(definitions)) {
  const kinds = (schema["x-kubernetes-group-version-kind"] ?? []) as GroupVersionKind[];
  const [only, ...others] = kinds;
  if (only === undefined || others.length > 0 || !schema.properties?.metadata) continue;
  const { group, version, kind } = only;
  const suffix = [group.split(".", 1)[0], version].filter(Boolean).join("-");
  const root = strictly[name] as Schema;
  const whole = {
    ...root,
    properties: {
      ...root.properties,
      apiVersion: { enum: [group ? `${group}/${version}` : version] },
      kind: { enum: [kind] },
    },
    required: [...new Set([...((root.required as string[]) ?? []), "apiVersion", "kind", "metadata"])],
    definitions: Object.fromEntries([...reached(name)].map((one) => [one, strictly[one]])),
  };
  writeFileSync(join(folder, `${kind.toLowerCase()}-${suffix}.json`), JSON.stringify(whole));
  written += 1;
}
console.log(`${written} schemas`);

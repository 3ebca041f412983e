import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { type Schema, strict } from "./strict-schema.ts";

/**
 * `node custom-schemas.ts FOLDER DEFINITION…`: writes one strict JSON schema for each version of each
 * CustomResourceDefinition, under the names of schemas.ts.
 */
interface Definition {
  spec: {
    group: string;
    names: { kind: string };
    versions: { name: string; schema: { openAPIV3Schema: Schema } }[];
  };
}

const [, , folder = "", ...files] = process.argv;
for (const file of files) {
  const { spec } = parse(readFileSync(file, "utf8")) as Definition;
  for (const { name, schema } of spec.versions) {
    const whole = { ...strict(schema.openAPIV3Schema), required: ["apiVersion", "kind", "metadata", "spec"] };
    const kind = spec.names.kind.toLowerCase();
    writeFileSync(join(folder, `${kind}-${spec.group.split(".", 1)[0]}-${name}.json`), JSON.stringify(whole));
  }
}

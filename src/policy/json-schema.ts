import { z } from "zod";
import { policySchema } from "./schema.ts";

/** The part of JSON Schema that zod writes. */
export interface JsonSchema {
  type?: string;
  description?: string;
  /** Ours: what may stand here, for messages. Not part of the published schema. */
  accepts?: string;
  properties?: Record<string, JsonSchema>;
  propertyNames?: JsonSchema;
  additionalProperties?: JsonSchema | boolean;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  enum?: unknown[];
  const?: unknown;
  pattern?: string;
  format?: string;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  [keyword: string]: unknown;
}

/** The policy as it may be written, `defaults` included, with `accepts` at its places. */
export function inputSchema(): JsonSchema {
  const root = z.toJSONSchema(policySchema, { io: "input", target: "draft-7" }) as JsonSchema;
  const { name: _, ...fields } = root.properties?.keys?.items?.properties ?? {};
  const defaults = partial({ type: "object", properties: fields, additionalProperties: false });
  return {
    ...root,
    properties: {
      ...root.properties,
      defaults: {
        ...defaults,
        description: "Any field of a key but its name; maps merge deeply, lists replace.",
      },
    },
  };
}

/** The schema for editors: config/rotation.schema.json. */
export function editorSchema(): JsonSchema {
  const { $schema, ...schema } = forEditors(inputSchema());
  return { $schema, title: "keyturn rotation.yaml", ...schema };
}

/** Nothing is required, down through maps; list items and alternatives stay as they are. */
function partial({ required: _, ...schema }: JsonSchema): JsonSchema {
  const properties = Object.entries(schema.properties ?? {}).map(([name, field]) => [
    name,
    withoutDefault(partial(field)),
  ]);
  return schema.properties ? { ...schema, properties: Object.fromEntries(properties) } : schema;
}

function withoutDefault({ default: _, ...schema }: JsonSchema): JsonSchema {
  return schema;
}

/** Without `accepts`, and with `${NAME}` allowed where text has a pattern. */
function forEditors({ accepts: _, format: __, ...schema }: JsonSchema): JsonSchema {
  const out: JsonSchema = { ...schema };
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === "properties") {
      const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => [
        name,
        forEditors(field),
      ]);
      out.properties = Object.fromEntries(fields);
    } else if (keyword === "propertyNames") {
      out.propertyNames = { ...schema.propertyNames, accepts: undefined };
    } else if (Array.isArray(value) && ["anyOf", "oneOf"].includes(keyword)) {
      out[keyword] = value.map(forEditors);
    } else if (keyword === "items" || (keyword === "additionalProperties" && typeof value === "object")) {
      out[keyword] = forEditors(value as JsonSchema);
    } else if (keyword === "pattern") {
      out.pattern = `\\$\\{|${value}`;
    }
  }
  return out;
}

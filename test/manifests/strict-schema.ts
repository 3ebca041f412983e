/** A schema of OpenAPI, as the Kubernetes API describes itself and as custom resources are defined. */
export interface Schema {
  [word: string]: unknown;
  type?: string;
  format?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  $ref?: string;
}

/** The same, with every field that the API does not know refused. */
export function strict(schema: Schema): Schema {
  const { format, properties, items, additionalProperties, description: _, ...rest } = schema;
  if (format === "int-or-string") return { anyOf: [{ type: "integer" }, { type: "string" }] };
  return {
    ...rest,
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, strict(one)])),
      additionalProperties: schema["x-kubernetes-preserve-unknown-fields"] === true,
    }),
    ...(items && { items: strict(items) }),
    ...(typeof additionalProperties === "object" && { additionalProperties: strict(additionalProperties) }),
  };
}

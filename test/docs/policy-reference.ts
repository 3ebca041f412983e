import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { acceptedBy } from "../../src/policy/accepted.ts";
import { inputSchema, type JsonSchema } from "../../src/policy/json-schema.ts";
import { anchor } from "./pages.ts";

/** One field of rotation.yaml, as docs/policy.md shows it. */
export interface PolicyField {
  /** `[]` stands for an item of a list, NAME for a name of the user's choice. */
  path: string;
  /** Where `type` says which kind of a map this is, the type. */
  variant?: string;
  accepted: string;
  default?: string;
  required: boolean;
  description?: string;
  /** From the policies of EXAMPLES; undefined where they show none. */
  example?: unknown;
  /** Titles of the sections that have the fields of this map, one for each `type`. */
  sections: string[];
}

export interface PolicySection {
  title: string;
  /** Other places at which the same map stands. */
  also: string[];
  description?: string;
  fields: PolicyField[];
}

const PAGE = join(import.meta.dirname, "../../docs/policy.md");
/** Between them these policies have every field. */
export const EXAMPLES = ["every-field.yaml", "every-field-kubernetes.yaml"].map((name) =>
  join(import.meta.dirname, name),
);
/** What is above it is written by hand. */
const MARK = "<!-- What follows is made from src/policy/schema.ts by `npm run docs`. -->";

/** The text that docs/policy.md should have: its own introduction, then every field of the schema. */
export function policyReference(): string {
  const page = readFileSync(PAGE, "utf8");
  const at = page.indexOf(MARK);
  if (at < 0) throw new Error(`${PAGE} has no line ${MARK}`);
  return `${page.slice(0, at)}${MARK}\n\n${policySections().map(rendered).join("\n")}`;
}

/** Every map of the policy with its fields, in the order of the schema. */
export function policySections(): PolicySection[] {
  const examples: unknown[] = EXAMPLES.map((file) => parse(readFileSync(file, "utf8")));
  const sections: PolicySection[] = [];
  const known = new Map<string, PolicySection>();

  function section(path: string[], maps: readonly JsonSchema[], variant?: string): PolicySection {
    const shape = JSON.stringify(maps.map(({ properties }) => properties));
    const title =
      `${shown(path)}${variant === undefined ? "" : ` with type: ${variant}`}` || "The whole file";
    const same = known.get(shape);
    if (same) {
      same.also.push(title);
      return same;
    }
    const made: PolicySection = { title, also: [], fields: [] };
    known.set(shape, made);
    sections.push(made);
    for (const map of maps) {
      for (const [name, schema] of Object.entries(map.properties ?? {})) {
        // Of several maps without a type, one is written.
        const required = maps.length === 1 && (map.required?.includes(name) ?? false);
        made.fields.push(field([...path, name], schema, required, variant));
      }
    }
    return made;
  }

  function field(path: string[], schema: JsonSchema, required: boolean, variant?: string): PolicyField {
    const sections = shown(path) === "defaults" ? [] : inside(path, schema);
    return {
      path: shown(path),
      ...(variant === undefined ? {} : { variant }),
      accepted: acceptedText(schema),
      ...(schema.default === undefined ? {} : { default: flow(schema.default) }),
      required,
      ...(schema.description === undefined ? {} : { description: schema.description }),
      example: find(examples, ["[]", ...path], variant),
      sections,
    };
  }

  /** Lays out the sections of what is below a field, and gives their titles. */
  function inside(path: string[], schema: JsonSchema): string[] {
    const own = alternatives(schema);
    const maps = own.filter(({ properties }) => properties && !isSecret(properties));
    if (maps.length > 0) {
      const kinds = maps.map(({ properties }) => properties?.type?.const);
      if (kinds.some((kind) => kind === undefined)) return [section(path, maps).title];
      return maps.map((map, index) => section(path, [map], String(kinds[index])).title);
    }
    return own.flatMap(({ items, additionalProperties: values }) => [
      ...(items ? inside([...path, "[]"], items) : []),
      ...(typeof values === "object" ? inside([...path, "NAME"], values) : []),
    ]);
  }

  section([], [inputSchema()]);
  return sections;
}

function alternatives(schema: JsonSchema): JsonSchema[] {
  return (schema.anyOf ?? schema.oneOf)?.flatMap(alternatives) ?? [schema];
}

/** `{ env }` or `{ file }`, which the introduction explains. */
function isSecret(properties: Record<string, JsonSchema>): boolean {
  return ["env", "file"].includes(Object.keys(properties).join());
}

function acceptedText(schema: JsonSchema): string {
  const map = alternatives(schema).find(({ propertyNames }) => propertyNames?.accepts);
  return map ? `a map from ${map.propertyNames?.accepts}` : acceptedBy(schema);
}

function shown(path: string[]): string {
  return path.join(".").replaceAll(".[]", "[]");
}

/** The first value at a path, through all items of lists and all entries of maps of free names. */
function find(value: unknown, path: readonly string[], variant: string | undefined): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (typeof value !== "object" || value === null) return undefined;
  if (rest.length === 0 && variant !== undefined && (value as { type?: string }).type !== variant)
    return undefined;
  if (step === "[]" || step === "NAME") {
    const found = Object.values(value).map((one) => find(one, rest, variant));
    return found.find((one) => one !== undefined);
  }
  if (Array.isArray(value)) return undefined;
  return find((value as Record<string, unknown>)[step], rest, variant);
}

function flow(value: unknown): string {
  return stringify(value, { collectionStyle: "flow", flowCollectionPadding: true, lineWidth: 0 }).trim();
}

function rendered({ title, also, fields }: PolicySection): string {
  const places = also.map((place) => `\`${place}\``).join(", ");
  return [
    `### ${title === "The whole file" ? title : `\`${title}\``}`,
    "",
    ...(also.length > 0 ? [`The same at ${places}.`, ""] : []),
    "| field | accepted | default | what it does | example |",
    "| --- | --- | --- | --- | --- |",
    ...fields.map(row),
    "",
  ].join("\n");
}

function row({ path, accepted, description = "", example, sections, ...field }: PolicyField): string {
  const name = path.split(/[.]|\[\]\.?/).at(-1) || path;
  const links = sections.map((title) => `[${title}](#${anchor(title)})`).join(", ");
  const cells = [
    code(name),
    linked(accepted),
    field.required ? "required" : fallback(field.default),
    cell(description) + (links && ` See ${links}.`),
    sections.length > 0 || example === undefined ? "" : code(`${name}: ${flow(example)}`),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** An empty map or list says nothing that the fields in it don't say. */
function fallback(text: string | undefined): string {
  return text === undefined || text === "{}" || text === "[]" ? "" : code(text);
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

/** The introduction explains these once. */
const EXPLAINED: [RegExp, string][] = [
  [/a duration like .* years/, "a [duration](#durations)"],
  [/a list of a name of lower-case .* letter or digit/, "a list of [names](#names)"],
  [/a name of lower-case .* letter or digit/, "a [name](#names)"],
  [/,? or \{ env: NAME \} or \{ file: PATH \} that holds one/, ", or a [secret](#secrets) that holds one"],
  [/\{ env: NAME \} or \{ file: PATH \}/, "a [secret](#secrets)"],
];

function linked(accepted: string): string {
  return EXPLAINED.reduce((text, [long, short]) => text.replace(long, short), cell(accepted));
}

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CommanderError } from "commander";
import { parse } from "yaml";
import { placeNow } from "../../src/commands/place-now.ts";
import { build } from "../../src/commands/program.ts";
import { keySchema, policySchema } from "../../src/policy/schema.ts";

export const ROOT = join(import.meta.dirname, "../..");

export interface Block {
  language: string;
  text: string;
}

/** A page for people, and what a test looks at in it. */
export interface Page {
  /** Path in the repository. */
  name: string;
  text: string;
  /** The text without its code blocks. */
  prose: string;
  blocks: Block[];
}

/** The README, and every page in docs/. */
export function pages(): Page[] {
  const docs = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
  return ["README.md", ...docs.map((name) => `docs/${name}`)].map(page);
}

export function page(name: string): Page {
  const text = readFileSync(join(ROOT, name), "utf8");
  const blocks = [...text.matchAll(/^ *```(\w*)\n([\s\S]*?)^ *```$/gm)].map(
    ([, language = "", content = ""]) => ({ language, text: content }),
  );
  return { name, text, prose: text.replace(/^ *```[\s\S]*?^ *```$/gm, ""), blocks };
}

export function inLanguage({ blocks }: Page, language: string): Block[] {
  return blocks.filter((block) => block.language === language);
}

/** What links to places within a page may name: its headings, as GitHub makes anchors of them. */
export function anchorsOf({ prose }: Page): Set<string> {
  const seen = new Map<string, number>();
  const anchors = [...prose.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) => {
    const base = anchor(heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1"));
    const count = seen.get(base) ?? 0;
    seen.set(base, count + 1);
    return count === 0 ? base : `${base}-${count}`;
  });
  return new Set(anchors);
}

export function anchor(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");
}

/** Targets of the links to other places of the repository, with their anchors. */
export function linksOf({ prose }: Page): string[] {
  return [...prose.matchAll(/\]\((?!\w+:)([^)\s]+)\)/g)].map(([, target = ""]) => target);
}

/** Every command line that a page shows at a prompt, without what its shell does with it. */
export function shownCommands(page: Page): string[] {
  return inLanguage(page, "console").flatMap(({ text }) =>
    [...text.matchAll(/^\$ (?:.* -- )?(?:npx )?rotate (.*)$/gm)].map(([, words = ""]) => withoutShell(words)),
  );
}

/** Every command that a page names in its text. */
export function namedCommands({ prose }: Page): string[] {
  return [...prose.matchAll(/`rotate ([^`]+)`/g)].map(([, words = ""]) => withoutShell(words));
}

function withoutShell(words: string): string {
  return words.split(/\s+(?:[<|>&#]|2>)/)[0]?.trim() ?? "";
}

/** The words of a command line; quotes hold some together, as in a shell. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) => word.replaceAll(/["']/g, ""));
}

/** Parses as the command would and runs nothing. Rejects as the command would. */
export async function parsed(words: readonly string[]): Promise<void> {
  const program = build(async () => {});
  const silent = { writeOut: () => {}, writeErr: () => {} };
  for (const command of [program, ...program.commands]) command.exitOverride().configureOutput(silent);
  const names = program.commands.map((command) => command.name());
  try {
    await program.parseAsync(placeNow(words, names), { from: "user" });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError && thrown.exitCode === 0)) throw thrown;
  }
}

/** What of a command that is named in a sentence, perhaps without its arguments, there is not; undefined for nothing. */
export function unknownIn(line: string): string | undefined {
  const program = build(async () => {});
  const words = placeNow(
    wordsOf(line),
    program.commands.map((command) => command.name()),
  );
  let command = program;
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) break;
    command = next;
  }
  // COMMAND stands for any of them.
  if (command === program && !/^(-.*|help|COMMAND)$/.test(words[0] ?? "")) return words[0];
  const options = [...command.options, ...program.options].flatMap(({ long, short }) => [long, short]);
  return words
    .filter((word) => /^--?\w/.test(word) && word !== "--help")
    .find((word) => !options.includes(word.split("=")[0]));
}

/** What a block of fields of a policy, or of a key in it, is put into. */
const FRAME = {
  version: 1,
  providers: { openrouter: { type: "openrouter", managementKey: { env: "OPENROUTER_MANAGEMENT_KEY" } } },
  stores: { local: { type: "file", path: "./.keyturn/secrets" } },
};
const KEY = {
  name: "payments-api",
  provider: "openrouter",
  schedule: { every: "30d" },
  store: { use: "local", secret: "payments-api" },
  consumers: [{ name: "payments", probe: { http: "http://127.0.0.1:8080/healthz" } }],
};

const POLICY_FIELDS = new Set([...Object.keys(policySchema.shape), "defaults"]);
const KEY_FIELDS = new Set(Object.keys(keySchema.shape));

/** A whole policy of a block of YAML; undefined for a block of something else. */
export function policyOf({ text }: Block): Record<string, unknown> | undefined {
  const fields: unknown = parse(text);
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return undefined;
  const names = Object.keys(fields);
  if (names.includes("apiVersion")) return undefined;
  if (names.some((name) => POLICY_FIELDS.has(name))) return wholePolicy(fields);
  return names.some((name) => KEY_FIELDS.has(name)) ? wholePolicy({ keys: [fields] }) : undefined;
}

function wholePolicy(fields: { providers?: object; stores?: object; keys?: object[]; defaults?: object }) {
  if ("version" in fields) return fields;
  const base = Object.fromEntries(Object.entries(KEY).filter(([name]) => !(name in (fields.defaults ?? {}))));
  return {
    ...FRAME,
    ...fields,
    providers: { ...FRAME.providers, ...fields.providers },
    stores: { ...FRAME.stores, ...fields.stores },
    keys: (fields.keys ?? [KEY]).map((key) => ({ ...base, ...key })),
  };
}

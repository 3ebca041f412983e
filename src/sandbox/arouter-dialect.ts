import { closest } from "fastest-levenshtein";
import { RotationError } from "../lib/errors.ts";

/** Where ARouter's pages and SDKs disagree; the defaults are the key-management guide's form. */
export interface ARouterDialect {
  /** The answer to create: `{data, key}`, or `{key, hash, name}` and nothing else. */
  created: "enveloped" | "flat";
  limitField: "limit" | "limit_usd";
  /** `usage: 1.5`, or `usage: {cost: 1.5, …}`. */
  usage: "number" | "object";
  /** The answer to delete: `{deleted: true}`, `{data: {deleted: true}}`, or 204 without a body. */
  deleted: "flag" | "enveloped" | "no-content";
  /** Error bodies: `{error: {message, type}}`, `{error: {message, code}}` with text or number, or `{code, message}`. */
  errors: "type" | "text-code" | "number-code" | "flat";
  /** `GET /keys/{hash}`: there, or how its absence is answered, by the API or by the server in front of it. */
  getByHash: "served" | "api-404" | "server-404" | "405";
  /** Where a key asks about itself: `/api/v1/key` or `/v1/key`. */
  currentAt: "api" | "host";
  /** Whether the answer to a list that goes on has a token for its next page. */
  nextToken: "none" | "next_page_token" | "pagination.next_page_token" | "page_token";
  /** Whether `page_size` is heeded, up to the largest page; else every page is as large as that. */
  pageSize: "heeded" | "ignored";
  largestPage: number;
  /** Whether `offset` is heeded. */
  offset: "heeded" | "ignored";
}

export const DEFAULT_DIALECT: ARouterDialect = {
  created: "enveloped",
  limitField: "limit",
  usage: "number",
  deleted: "flag",
  errors: "type",
  getByHash: "served",
  currentAt: "api",
  nextToken: "none",
  pageSize: "heeded",
  largestPage: 100,
  offset: "heeded",
};

type Choices = { readonly [Knob in keyof ARouterDialect]: readonly ARouterDialect[Knob][] };

/** What each knob can be set to, its default first; largestPage is any whole number from 1 up. */
const CHOICES: Omit<Choices, "largestPage"> = {
  created: ["enveloped", "flat"],
  limitField: ["limit", "limit_usd"],
  usage: ["number", "object"],
  deleted: ["flag", "enveloped", "no-content"],
  errors: ["type", "text-code", "number-code", "flat"],
  getByHash: ["served", "api-404", "server-404", "405"],
  currentAt: ["api", "host"],
  nextToken: ["none", "next_page_token", "pagination.next_page_token", "page_token"],
  pageSize: ["heeded", "ignored"],
  offset: ["heeded", "ignored"],
};
const LARGEST_PAGE = "largestPage";
const KNOBS = [...Object.keys(CHOICES), LARGEST_PAGE];

/** For --help: every knob, one a line. */
export const DIALECT_HELP = [
  "KNOB=VALUE, the first value of each being the default",
  ...Object.entries(CHOICES).map(([knob, values]) => `  ${knob.padEnd(13)}${values.join(", ")}`),
  `  ${LARGEST_PAGE.padEnd(13)}${DEFAULT_DIALECT.largestPage}, or any whole number from 1 up`,
].join("\n");

/** The knobs that specs turn, the last one of a knob counting. Throws RotationError `usage` for a spec that is none. */
export function parseDialect(specs: readonly string[]): Partial<ARouterDialect> {
  return Object.fromEntries(specs.map(parse));
}

function parse(spec: string): [knob: string, value: string | number] {
  const [, knob = spec, value = ""] = /^([^=]*)=(.*)$/s.exec(spec) ?? [];
  if (!KNOBS.includes(knob)) throw wrong(spec, `there is no knob ${JSON.stringify(knob)}`, knob, KNOBS);
  if (knob === LARGEST_PAGE) {
    if (/^[1-9]\d{0,8}$/.test(value)) return [knob, Number(value)];
    throw wrong(spec, `${knob} is a whole number from 1 up`);
  }
  const values: readonly string[] = CHOICES[knob as keyof typeof CHOICES];
  if (values.includes(value)) return [knob, value];
  throw wrong(spec, `${knob} is one of ${values.join(", ")}`, value, values);
}

function wrong(spec: string, why: string, word = "", words: readonly string[] = []): RotationError {
  const suggestion = word ? `did you mean ${closest(word, words)}? ` : "";
  return new RotationError("usage", `${JSON.stringify(spec)} is not a dialect: ${why}`, {
    hint: `${suggestion}write KNOB=VALUE, for example created=flat or getByHash=405`,
  });
}

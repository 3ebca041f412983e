import { closest } from "fastest-levenshtein";
import { RotationError } from "../lib/errors.ts";

/** What a fault may strike: a call of the key API, the model call, any about what is tied to keys, or any at all. */
export const OPERATIONS = [
  "list",
  "get",
  "create",
  "update",
  "delete",
  "current",
  "chat",
  "guardrails",
  "byok",
  "destinations",
  "*",
] as const;
export type Operation = (typeof OPERATIONS)[number];

const PLAIN_KINDS = {
  "lost-reply": "takes effect, then the connection breaks without an answer",
  late: "the connection breaks without an answer; takes effect ten seconds later",
  reset: "the connection breaks; no effect",
  timeout: "no answer ever; no effect",
  truncated: "takes effect, then the connection breaks in the middle of the answer",
  "wrong-body": "takes effect, answered with JSON that means nothing",
  "not-json": "takes effect, answered with text that is no JSON",
  endless: "takes effect, answered with a body that never ends",
  twice: "takes effect twice, as if something in between repeated it",
  redirect: "no effect, answered with a redirect to elsewhere",
} as const;
export type PlainKind = keyof typeof PLAIN_KINDS;

/** A kind of fault; the others answer with a status of their own. */
export type Fault =
  | { kind: PlainKind }
  | { kind: "status"; status: number; retryAfterSeconds?: number }
  | { kind: "html"; status: number }
  | { kind: "done"; status: number };

/** For --help: every fault, one a line. */
export const FAULT_HELP = [
  "OPERATION:KIND[:COUNT], COUNT (default 1) being how many times, or all",
  `OPERATION: ${OPERATIONS.join(", ")}`,
  ...Object.entries({
    ...PLAIN_KINDS,
    "STATUS (500, 429, 403 …)": "no effect, answered with the API's error of that status",
    "429-retry-after-SECONDS": "the same with Retry-After",
    "html-STATUS": "no effect, answered with a web page of that status, as by a proxy in front",
    "done-STATUS": "takes effect, answered with the API's error of that status",
  }).map(([kind, meaning]) => `  ${kind.padEnd(26)}${meaning}`),
].join("\n");

interface Planned {
  operation: Operation;
  fault: Fault;
  left: number;
}

/** Faults still to strike, in the order given. */
export class Faults {
  readonly #planned: Planned[];

  /** Throws RotationError `usage` for a spec that is none. */
  constructor(specs: readonly string[] = []) {
    this.#planned = specs.map(parse);
  }

  add(spec: string): void {
    this.#planned.push(parse(spec));
  }

  /** The fault that strikes this call, if any; uses up one of its count. */
  take(operation: Operation): Fault | undefined {
    const planned = this.#planned.find(
      (p) => p.left > 0 && (p.operation === operation || p.operation === "*"),
    );
    if (!planned) return undefined;
    planned.left--;
    return planned.fault;
  }
}

function parse(spec: string): Planned {
  const [operation = "", kind = "", count = "1", ...rest] = spec.split(":");
  const known = OPERATIONS.find((name) => name === operation);
  if (!known)
    throw wrong(spec, `there is no operation ${JSON.stringify(operation)}`, nearest(operation, OPERATIONS));
  const left = count === "all" ? Number.POSITIVE_INFINITY : Number(count);
  if (rest.length > 0 || (count !== "all" && !/^[1-9]\d*$/.test(count))) {
    throw wrong(spec, "COUNT is a whole number from 1 up, or all", "");
  }
  return { operation: known, fault: parseKind(spec, kind), left };
}

function parseKind(spec: string, kind: string): Fault {
  if (kind in PLAIN_KINDS) return { kind: kind as PlainKind };
  const match = /^(?:(html|done)-)?([45]\d\d)(?:-retry-after-(\d+))?$/.exec(kind);
  if (match) {
    const [, how, code, seconds] = match;
    const status = Number(code);
    if (how === undefined) {
      return {
        kind: "status",
        status,
        ...(seconds === undefined ? {} : { retryAfterSeconds: Number(seconds) }),
      };
    }
    if (seconds === undefined) return { kind: how as "html" | "done", status };
  }
  throw wrong(spec, `there is no fault ${JSON.stringify(kind)}`, nearest(kind, Object.keys(PLAIN_KINDS)));
}

function nearest(word: string, words: readonly string[]): string {
  return word ? `did you mean ${closest(word, words)}? ` : "";
}

function wrong(spec: string, why: string, suggestion: string): RotationError {
  return new RotationError("usage", `${JSON.stringify(spec)} is not a fault: ${why}`, {
    hint: `${suggestion}write OPERATION:KIND[:COUNT], for example create:lost-reply or list:500:2`,
  });
}

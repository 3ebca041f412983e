import { format, inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { asRotationError, RotationError } from "../../src/lib/errors.ts";
import { redact, redactOutput, redactQuoted } from "../../src/lib/redact.ts";
import { Secret } from "../../src/lib/secret.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { expectWithout, runs, shownOf, soup } from "./generators.ts";

/** A key of the shapes that the providers give out, and the part of it that must not be seen. */
const hex = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 24, maxLength: 64 });
const credential: fc.Arbitrary<{ text: string; core: string }> = fc
  .tuple(
    fc.constantFrom(
      "sk-or-v1-",
      "sk-or-mgmt-",
      "lr_live_",
      "lr_mgmt_",
      "lr_admin_",
      "SK-OR-V1-",
      "Bearer ",
      "bearer\t",
      "https://me:",
      "https://",
    ),
    hex,
  )
  .map(([prefix, core]) => ({
    text: prefix.startsWith("https") ? `${prefix}${core}@host/` : prefix + core,
    core,
  }));

/** What may stand before and after, without a part of the key itself. */
const surroundings = soup(
  [
    "",
    " ",
    "\n",
    "\t",
    '"',
    "'",
    "\\",
    "\\n",
    "%20",
    "%22",
    "=",
    ":",
    "/",
    "…",
    "...",
    "key",
    "x",
    "&a=",
    "{",
    "}",
    "\u0000",
    "\u001b[1m",
    "sha256:",
    "é",
    "€",
    "😀",
    "\ud800",
  ],
  4,
);

const hidden = (text: string, core: string) => expect(text).not.toContain(core.slice(0, 12));

test("a key does not get through, whatever stands around it and however the text is encoded", () => {
  fc.assert(
    fc.property(surroundings, credential, surroundings, (before, { text, core }, after) => {
      const whole = before + text + after;
      for (const clean of [redact, redactQuoted, redactOutput]) {
        for (const form of [
          whole,
          JSON.stringify(whole),
          JSON.stringify(JSON.stringify({ a: whole })),
          inspect(whole),
        ])
          hidden(clean(form), core);
        expect(clean(clean(whole))).not.toContain(core);
      }
      if (!/\s|https/.test(text)) hidden(redact(encodeURIComponent(whole.toWellFormed())), core);
    }),
    runs(300),
  );
});

test("JSON without keys in it is JSON after redaction too", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(surroundings, credential, surroundings), { maxLength: 3 }), (parts) => {
      const value = parts.map(([before, { text }, after]) => ({ [text]: before + text + after }));
      expect(() => JSON.parse(redact(JSON.stringify(value)))).not.toThrow();
    }),
    runs(200),
  );
});

test("a known secret of any shape does not get through, whole or in pieces of twelve", () => {
  const secret = fc
    .string({ minLength: 12, maxLength: 80, unit: "binary" })
    .filter((text) => !/(.)\1{5}|secret/.test(text));
  fc.assert(
    fc.property(secret, surroundings, surroundings, fc.nat(), (text, before, after, cut) => {
      const known = new Secret(text);
      const piece = text.slice(cut % (text.length - 11));
      for (const form of [text, piece, piece.slice(0, 12)]) {
        const left = redactQuoted(before + form + after, [known]);
        fc.pre(!before.includes(form) && !after.includes(form));
        expect(left).not.toContain(form);
      }
      const wrapped = Buffer.from(`${before}${text}${after}`).toString("base64");
      for (const offset of [0, 1, 2]) {
        const aligned = Buffer.from(`${"x".repeat(offset)}${text}`).toString("base64");
        if (aligned.length > 24) expect(redactQuoted(aligned, [known])).not.toContain(aligned.slice(4, 20));
      }
      expect(redactQuoted(wrapped, [known]).length).toBeGreaterThan(0);
    }),
    runs(150),
  );
});

test("a short known secret goes too, and an empty one takes nothing", () => {
  expect(redactQuoted("the pin is 4711.", [new Secret("4711")])).toBe("the pin is [secret].");
  expect(redactQuoted("nothing to hide", [new Secret("")])).toBe("nothing to hide");
});

test("text of megabytes is redacted in a moment", () => {
  for (const text of [
    "a",
    "sk-",
    "://",
    "a://",
    "Bearer ",
    "Basic a",
    "a.",
    "%20",
    "\\n",
    "lr_",
    "x=",
    "\\",
  ]) {
    const long = text.repeat(300_000 / text.length);
    for (const clean of [redact, redactQuoted, redactOutput]) expect(clean(long).length).toBeGreaterThan(0);
  }
});

/** A thing that holds the key somewhere inside. */
type Wrap = (inner: unknown, text: string) => unknown;
const WRAPS: Record<string, Wrap> = {
  field: (inner) => ({ inner }),
  "field's name": (inner, text) => ({ [text]: inner }),
  list: (inner) => [inner, inner],
  map: (inner, text) => new Map([[text, inner]]),
  set: (inner) => new Set([inner]),
  symbol: (inner, text) => ({ [Symbol(text)]: inner, tag: Symbol(text) }),
  json: (inner, text) => ({ body: JSON.stringify({ text }), inner }),
  error: (inner, text) => new Error(`broke on ${text}`, { cause: inner }),
  "error with fields": (inner, text) =>
    Object.assign(new Error("broke"), { headers: { authorization: text }, hint: text, code: text, inner }),
  "rotation error": (inner, text) => new RotationError("unclear", text, { hint: text, cause: inner }),
  "aggregate error": (inner, text) => new AggregateError([inner, new Error(text)], text),
  "throwing getter": (_inner, text) => ({
    get broken() {
      throw new Error(text);
    },
  }),
  "throwing toJSON": (inner, text) => ({
    inner,
    toJSON() {
      throw new Error(text);
    },
  }),
  circle: (inner, text) => {
    const circle: Record<string, unknown> = { text, inner };
    circle.circle = circle;
    return circle;
  },
  "error in a circle": (_inner, text) => {
    const circle = new Error(text);
    circle.cause = circle;
    return circle;
  },
  "no prototype": (inner, text) => Object.assign(Object.create(null), { text, inner }),
  function: (inner, text) => Object.assign(() => text, { inner }),
  class: (inner, text) =>
    new (class Holder {
      text = text;
      inner = inner;
    })(),
  url: (_inner, text) =>
    URL.canParse(`https://u:${encodeURIComponent(text)}@h/`)
      ? new URL(`https://u:${encodeURIComponent(text)}@h/`)
      : text,
  headers: (_inner, text) => new Headers({ authorization: text }),
  date: () => new Date(Number.NaN),
  bigint: (inner) => ({ big: 10n ** 40n, inner }),
};
const wrapped = fc.array(fc.constantFrom(...Object.keys(WRAPS)), { minLength: 1, maxLength: 4 });
const wrap = (names: readonly string[], text: string): unknown =>
  names.reduce<unknown>((inner, name) => (WRAPS[name] as Wrap)(inner, text), text);
const key = hex.map((core) => ({ text: `sk-or-v1-${core}`, core }));

describe("a key logged inside anything", () => {
  test.each([
    ["JSON", { pretty: false, color: false }],
    ["a terminal", { pretty: true, color: true }],
  ])("does not get into lines for %s, and nobody who logs is thrown at", async (_name, options) => {
    const lines: string[] = [];
    const destination = { write: (line: string) => lines.push(line) };
    const log = await createLogger({ ...options, level: "trace", destination });
    fc.assert(
      fc.property(key, wrapped, ({ text, core }, names) => {
        lines.length = 0;
        const value = wrap(names, text) as object;
        log.info({ value });
        log.error({ err: value, [text]: value }, `about ${text}`);
        log.warn(value);
        log.debug("%s %o %j %d", ...([value, value, value, value] as never[]));
        log.info({ one: text, two: text.slice(0, 20) }, "%s%s", text.slice(0, 18), text.slice(18));
        expect(lines.length).toBeGreaterThanOrEqual(5);
        hidden(lines.join(""), core);
        if (!options.pretty) for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
      }),
      runs(40),
    );
  });

  test("does not get into what a RotationError shows of itself and its causes", () => {
    fc.assert(
      fc.property(key, wrapped, ({ text, core }, names) => {
        const cause = wrap(names, text);
        for (const error of [
          asRotationError(cause),
          new RotationError("unclear", `sent ${text}`, { hint: text, cause }),
          new RotationError("internal", "x".repeat(1_990) + text, { cause: new Error(text, { cause }) }),
        ]) {
          hidden(shownOf(error), core);
          hidden(
            `${error} ${format("%s %j %O", error, error, error)} ${inspect([{ error }], { depth: 9 })}`,
            core,
          );
          expect(error.message.length).toBeLessThanOrEqual(2_000);
        }
      }),
      runs(150),
    );
  });
});

test("a Secret shows its text nowhere, whatever is done to it", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 12, unit: "binary" }), (text) => {
      fc.pre(!"[object Secret] { } [secret] sha256:".includes(text));
      const secret = new Secret(text);
      const shown = [
        String(secret),
        `${secret}`,
        JSON.stringify({ secret, list: [secret] }),
        inspect(secret, { showHidden: true, depth: 9 }),
        inspect(new Map([[secret, secret]]), { showHidden: true, getters: true }),
        format("%s %o %O %j %d %i", secret, secret, secret, secret, secret, secret),
        Object.entries(secret).join(),
        JSON.stringify(structuredClone({ ...secret })),
        Reflect.ownKeys(secret).map(String).join(),
        secret.fingerprint(),
      ];
      expectWithout([text], shown.join("\n"));
    }),
    runs(150),
  );
});

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how a policy refers to the environment
import fc from "fast-check";
import { expect, test } from "vitest";
import { readPointer } from "../../src/lib/json-pointer.ts";
import { fillTemplate } from "../../src/lib/template.ts";
import { cronFault, isTimeZone } from "../../src/policy/checks/cron-fault.ts";
import { formatDuration, parseDuration } from "../../src/policy/duration.ts";
import { Findings } from "../../src/policy/findings.ts";
import { interpolate } from "../../src/policy/interpolate.ts";
import { readYaml } from "../../src/policy/read-yaml.ts";
import { Source } from "../../src/policy/source.ts";
import { toValue } from "../../src/policy/tree.ts";
import { nextCron } from "../../src/schedule/cron.ts";
import { anyJson, runs, soup } from "./generators.ts";

const NOW = Date.parse("2027-03-02T12:00:00Z");
const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

test("a duration is its number times its unit, whichever number and unit", () => {
  const unit = fc.constantFrom(...(Object.keys(UNITS) as (keyof typeof UNITS)[]));
  fc.assert(
    fc.property(fc.nat(1_000_000), unit, (count, word) => {
      expect(parseDuration(`${count}${word}`)).toBe(count * UNITS[word]);
    }),
    runs(200),
  );
});

test("text that is no duration is none: never negative, and never a number by accident", () => {
  fc.assert(
    fc.property(soup([..."0159 -+.eEdhms_", "ms", "Infinity", "NaN", "0x1", "١", "\n"], 6), (text) => {
      const ms = parseDuration(text);
      expect(Number.isNaN(ms)).toBe(!/^[0-9]+(ms|s|m|h|d)$/.test(text));
      if (!Number.isNaN(ms)) expect(ms).toBeGreaterThanOrEqual(0);
    }),
    runs(500),
  );
});

test("a duration as people are shown it is read back to within its two largest units", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 36_525 * UNITS.d }), (ms) => {
      const shown = formatDuration(ms);
      const back = shown.split(" ").reduce((sum, part) => sum + parseDuration(part), 0);
      const smallest = shown.split(" ").at(-1)?.replace(/\d+/, "") as keyof typeof UNITS;
      expect(Math.abs(back - ms)).toBeLessThanOrEqual(Math.max(UNITS[smallest], ms / 20));
    }),
    runs(300),
  );
});

const field = soup([..."0123456789*/,-?LW#", "MON", "JAN", "60", "31", "-1", "99999999999"], 4);
const expression = fc.oneof(
  fc.array(field, { minLength: 3, maxLength: 7 }).map((fields) => fields.join(" ")),
  fc.tuple(fc.nat(59), fc.nat(23), field, field, field).map((fields) => fields.join(" ")),
  soup(["*", " ", "0", "@daily", "30d", "\t", "\n"], 8),
);

test("a cron expression is refused in words, or names an instant to come", () => {
  const zones = fc.constantFrom("Etc/UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu");
  fc.assert(
    fc.property(expression, zones, (text, zone) => {
      const fault = cronFault(text);
      const next = fault ? undefined : nextCron(text, zone, NOW);
      if (fault) expect(fault.message).not.toBe("");
      else expect(Number.isSafeInteger(next) && Number(next) > NOW).toBe(true);
    }),
    runs(300),
  );
});

test.each(["1 13 3 *99999999999 6", "0-99999999999 0 * * *", "0 0 1-9999999 * *", "*/99999 * * * *"])(
  "a range without end, %s, is refused before anything writes it out",
  (text) => {
    expect(cronFault(text)?.message).toContain("too large a number");
  },
);

test("a day of the month together with a day of the week is always refused", () => {
  const restricted = (least: number, most: number) =>
    fc.oneof(
      fc.integer({ min: least, max: most }).map(String),
      fc.integer({ min: 2, max: 5 }).map((step) => `*/${step}`),
      fc.tuple(fc.constant(least), fc.integer({ min: least, max: most })).map((range) => range.join("-")),
    );
  fc.assert(
    fc.property(fc.nat(59), fc.nat(23), restricted(1, 28), restricted(0, 6), (minute, hour, day, weekday) => {
      const fault = cronFault(`${minute} ${hour} ${day} * ${weekday}`);
      expect(fault?.message).toContain("a day of month together with a day of week");
    }),
    runs(100),
  );
});

test("any text is a time zone or none", () => {
  fc.assert(
    fc.property(soup(["Etc/", "UTC", "Europe/Berlin", "+01:00", "GMT", "/", "..", "\u0000"], 4), (text) => {
      expect(typeof isTimeZone(text)).toBe("boolean");
    }),
    runs(100),
  );
});

const escaped = (name: string) => name.replaceAll("~", "~0").replaceAll("/", "~1");

test("a JSON pointer made from the steps to a value reads that value, and no other document's", () => {
  const names = fc.oneof(
    fc.constantFrom("__proto__", "constructor", "length", "", "/", "~", "~1", "~01", "0", "-", "toString"),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(names, { maxLength: 5 }), anyJson, (steps, value) => {
      const document = steps.reduceRight(
        (inner: unknown, name) => JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(inner)}}`),
        value,
      );
      const pointer = steps.map((name) => `/${escaped(name)}`).join("");
      expect(JSON.stringify(readPointer(document, pointer))).toBe(JSON.stringify(value));
      expect(readPointer({}, `${pointer}/__proto__`)).toBeUndefined();
    }),
    runs(300),
  );
});

test("a pointer into a list takes a plain index and nothing else", () => {
  const index = fc.oneof(
    fc.nat(5).map(String),
    fc.constantFrom("-1", "01", "1e0", "-", "", " 1", "length", "+1"),
  );
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 4 }), index, (list, step) => {
      const expected = /^(0|[1-9])$/.test(step) ? list[Number(step)] : undefined;
      expect(readPointer(list, `/${step}`)).toBe(expected);
    }),
    runs(200),
  );
});

test("any text is a pointer that reads something or nothing, in any document", () => {
  fc.assert(
    fc.property(
      anyJson,
      soup(["/", "~", "~0", "~1", "~2", "__proto__", "constructor", "0"], 8),
      (document, pointer) => {
        const found = readPointer(document, pointer);
        // Nothing that the document itself does not hold.
        expect(typeof found).not.toBe("function");
        expect(found === Object.prototype).toBe(false);
      },
    ),
    runs(300),
  );
});

test("a template takes each value once, and looks at nothing that was filled in", () => {
  const value = soup(["{fingerprint}", "{hash}", "$&", "$1", "$$", "{", "}", "a"], 4);
  const words = soup(["{fingerprint}", "{hash}", "{toString}", "{__proto__}", "{", "}", "{{hash}}", "$&"], 6);
  fc.assert(
    fc.property(words, value, value, (text, fingerprint, hash) => {
      const filled = fillTemplate(text, { fingerprint, hash });
      const byHand = text
        .split(/(\{fingerprint\}|\{hash\})/)
        .map((part) => (part === "{fingerprint}" ? fingerprint : part === "{hash}" ? hash : part))
        .join("");
      expect(filled).toBe(byHand);
    }),
    runs(300),
  );
});

/** What `${NAME}` becomes in a field of a policy; undefined where that is a fault. */
async function filled(text: string, env: Record<string, string>): Promise<unknown> {
  const findings = new Findings();
  const tree = await readYaml(new Source(JSON.stringify({ field: text })), findings);
  if (!tree) return undefined;
  const value = (toValue(interpolate(tree, env, findings)) as Record<string, unknown>).field;
  return findings.anyFault ? undefined : value;
}

test("what the environment fills in is taken as it is, and never looked at again", async () => {
  const name = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,8}$/);
  const value = soup(["${A}", "$$", "$&", "$1", ":-", "}", "x"], 5).filter((text) => text !== "");
  await fc.assert(
    fc.asyncProperty(name, value, soup(["a", " ", "$", "{", "}", ":"], 3), async (variable, text, around) => {
      fc.pre(!/\$\{?$/.test(around) && !around.includes("${"));
      expect(await filled(`${around}\${${variable}}`, { [variable]: text })).toBe(around + text);
      expect(await filled(`\${${variable}:-dflt}${around}`, {})).toBe(`dflt${around}`);
      expect(await filled(`$\${${variable}}`, { [variable]: text })).toBe(`\${${variable}}`);
      expect(await filled(`\${${variable}}`, {})).toBeUndefined();
    }),
    runs(100),
  );
});

test("names that every object has are no variables unless they are set", async () => {
  expect(await filled("${constructor}", {})).toBeUndefined();
  expect(await filled("${__proto__:-x}", {})).toBe("x");
  expect(await filled("${toString}", {})).toBeUndefined();
});

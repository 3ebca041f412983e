import { Cron } from "croner";
import { validate, validateDetailed } from "node-cron";
import { plainCron } from "../../schedule/plain-cron.ts";
import { parseDuration } from "../duration.ts";
import { didYouMean } from "../nearest.ts";

const NICKNAMES: Record<string, string> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

const FIELDS = ["minute", "hour", "day of month", "month", "day of week"];
/** node-cron writes a range out before it looks at its ends: one to 99999999999 would fill the memory. */
const BEYOND_ANY_RANGE = /\d{4}/;

/** Why a text is no cron expression of five fields that ever comes and means the same to everybody. */
export function cronFault(expression: string): { message: string; hint?: string | undefined } | undefined {
  if (plainCron(expression) !== undefined) return undefined;
  const fields = expression.trim().split(/\s+/);
  const found = `found ${JSON.stringify(expression)}`;
  if (fields.length !== 5) {
    const count = fields.length === 1 ? "one field" : `${fields.length} fields`;
    return {
      message: `${found}, ${count}; accepted: five (minute, hour, day of month, month, day of week)`,
      hint: hintForWord(expression.trim(), fields.length),
    };
  }
  const endless = fields.findIndex((field) => BEYOND_ANY_RANGE.test(field));
  if (endless >= 0)
    return { message: `${found}, no valid cron expression: its ${FIELDS[endless]} has too large a number` };
  if (!validate(expression)) return { message: `${found}, ${whyInvalid(expression)}` };
  const [, , dayOfMonth = "", , dayOfWeek = ""] = fields;
  if (restricts(dayOfMonth) && restricts(dayOfWeek)) {
    return {
      message: `${found}: a day of month together with a day of week is refused, because some schedulers take it as "both", others as "either"`,
      hint: `put * in one of the two: "${withStar(fields, 2)}" or "${withStar(fields, 4)}"`,
    };
  }
  const why = neverComes(expression);
  return why ? { message: `${found}, ${why}` } : undefined;
}

/**
 * Asking costs a quarter of a millisecond and some memory, and thousands of keys share one zone. The
 * first asking also loads what there is to know of zones, which a policy in UTC does not need.
 */
const knownZones = new Set(["Etc/UTC", "UTC"]);

export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  if (knownZones.has(name)) return true;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    knownZones.add(name);
    return true;
  } catch {
    return false;
  }
}

export function timeZoneHint(name: string): string | undefined {
  return didYouMean(name, ["Etc/UTC", "UTC", ...Intl.supportedValuesOf("timeZone")]);
}

function restricts(field: string): boolean {
  return field !== "*" && field !== "?";
}

function withStar(fields: readonly string[], star: number): string {
  return fields.map((field, index) => (index === star ? "*" : field)).join(" ");
}

function hintForWord(text: string, fields: number): string | undefined {
  const nickname = NICKNAMES[text.toLowerCase()];
  if (nickname) return `write "${nickname}"`;
  if (!Number.isNaN(parseDuration(text))) return `write { every: ${text} }`;
  if (fields === 6) return "leave out the seconds, the first field";
  return fields === 1 ? didYouMean(text, ["none"]) : undefined;
}

const FIELD_NAMES: Record<string, string> = { dayOfMonth: "day of month", dayOfWeek: "day of week" };

function whyInvalid(expression: string): string {
  const [first] = validateDetailed(expression).errors;
  if (!first) return "no valid cron expression";
  if (/impossible/.test(first.message)) return "which never comes";
  return `no valid cron expression: its ${FIELD_NAMES[first.field] ?? first.field} is ${JSON.stringify(first.value)}`;
}

/** The second opinion: that of the library by which due instants are computed. */
function neverComes(expression: string): string | undefined {
  try {
    const next = new Cron(expression, { mode: "5-part", timezone: "Etc/UTC" }).nextRun();
    return next ? undefined : "which never comes";
  } catch (error) {
    return `no valid cron expression: ${(error as Error).message.replace(/^CronPattern: /, "")}`;
  }
}

/** What a cron expression names, of the kind that every scheduler takes alike: numbers, ranges, steps and `*`. */
export interface PlainCron {
  /** In ascending order, as minutes of a day. */
  times: readonly number[];
  days: Pick<Days, "nth">;
}

const BOUNDS = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 6],
] as const;
const LONGEST_MONTH = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const PART = /^(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:\/(\d{1,2}))?$/;

/**
 * The expression read by us, which costs a fraction of asking a library. Undefined for one that is
 * faulty, never comes, or is not plain: names, `?`, a day of month together with a day of week, and
 * hours that begin with `*`, which follow real time.
 */
export function plainCron(expression: string): PlainCron | undefined {
  if (expression !== latest.expression) latest = { expression, plain: read(expression) };
  return latest.plain;
}

/** Several ask about the same one after the other. */
let latest: { expression: string; plain: PlainCron | undefined } = { expression: "", plain: undefined };

function read(expression: string): PlainCron | undefined {
  const fields = expression.trim().split(/\s+/);
  const [, hour = "", dayOfMonth, , dayOfWeek] = fields;
  if (fields.length !== BOUNDS.length || hour.startsWith("*")) return undefined;
  if (dayOfMonth !== "*" && dayOfWeek !== "*") return undefined;
  const named: boolean[][] = [];
  for (const [index, [low, high]] of BOUNDS.entries()) {
    const field = fields[index] ?? "";
    const numbers = known(numbersOfField[index] as Map<string, boolean[]>, field, () =>
      numbersOf(field, low, high),
    );
    if (numbers.length === 0) return undefined;
    named.push(numbers);
  }
  const [minutes = [], hours = [], daysOfMonth = [], months = []] = named;
  const comes = months.some((is, month) => is && daysOfMonth.indexOf(true) <= (LONGEST_MONTH[month] ?? 0));
  if (!comes) return undefined;
  const times = hours.flatMap((ofHour, hour) =>
    ofHour ? minutes.flatMap((is, minute) => (is ? [hour * 60 + minute] : [])) : [],
  );
  return { times, days: known(knownDays, fields.slice(2).join(" "), () => new Days(named.slice(2))) };
}

/** What was read of fields before: thousands of expressions are made of a few. */
const MOST_KNOWN = 1_000;
const numbersOfField = BOUNDS.map(() => new Map<string, boolean[]>());
const knownDays = new Map<string, Days>();

function known<T>(kept: Map<string, T>, text: string, make: () => T): T {
  const found = kept.get(text);
  if (found !== undefined) return found;
  if (kept.size >= MOST_KNOWN) kept.clear();
  const made = make();
  kept.set(text, made);
  return made;
}

/** By number, whether a field names it; empty for a field that is not plain. */
function numbersOf(field: string, low: number, high: number): boolean[] {
  const named = Array<boolean>(high + 1).fill(false);
  for (const part of field.split(",")) {
    const [whole, first, last, by] = PART.exec(part) ?? [];
    if (whole === undefined) return [];
    const from = first === undefined ? low : Number(first);
    const to = first === undefined ? high : Number(last ?? first);
    const step = by === undefined ? 1 : Number(by);
    // A single number with a step means different things to different schedulers.
    const ambiguous = by !== undefined && first !== undefined && last === undefined;
    if (ambiguous || from < low || to > high || from > to || step < 1 || step > to - from + 1) return [];
    for (let number = from; number <= to; number += step) named[number] = true;
  }
  return named;
}

const DAY_MS = 86_400_000;

/** The local times that an expression names, in ascending order from the day of `from` on, both as if they stood in UTC. */
export function* plainTimes({ times, days }: PlainCron, from: number): Generator<number> {
  const first = Math.floor(from / DAY_MS);
  for (let index = 0; ; index++) {
    const midnight = days.nth(index, first) * DAY_MS;
    for (const minute of times) yield midnight + minute * 60_000;
  }
}

/** The days that an expression names. Thousands of expressions share a few sets of days, and to go through the calendar costs more than to remember. */
class Days {
  readonly #named: readonly (readonly boolean[])[];
  #first = Number.NaN;
  #found: number[] = [];
  #next = 0;

  /** By number: of the month, of the year (1 to 12) and of the week (0 is Sunday). */
  constructor(named: readonly (readonly boolean[])[]) {
    this.#named = named;
  }

  /** The nth from 0, on or after the day `first`; both counted from 1 January 1970. */
  nth(index: number, first: number): number {
    if (first !== this.#first) [this.#first, this.#next, this.#found] = [first, first, []];
    while (this.#found.length <= index) this.#findMore();
    return this.#found[index] as number;
  }

  #findMore(): void {
    const [daysOfMonth = [], months = [], daysOfWeek = []] = this.#named;
    for (const found = this.#found.length; this.#found.length === found; this.#next++) {
      const date = new Date(this.#next * DAY_MS);
      if (daysOfWeek[date.getUTCDay()] && daysOfMonth[date.getUTCDate()] && months[date.getUTCMonth() + 1])
        this.#found.push(this.#next);
    }
  }
}

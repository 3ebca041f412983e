import { type LevelWithSilent, type Logger, pino, stdTimeFunctions } from "pino";
import { redact } from "../lib/redact.ts";
import { errorFields } from "./error-fields.ts";
import { prettyLines } from "./pretty.ts";

export type { Logger } from "pino";
export type LogLevel = LevelWithSilent;

export interface LoggerOptions {
  level: LogLevel;
  /** Where lines go; standard error unless given. Each line is one synchronous write. */
  destination?: { write(line: string): unknown };
  /** Readable lines for a terminal, rather than JSON. */
  pretty: boolean;
  /** Colours, where `pretty`. */
  color: boolean;
}

/**
 * A logger of JSON lines. Fields that lines have: `time` (ISO 8601, UTC), `level` (its name),
 * `msg`, and as far as they apply `key`, `rotation`, `phase`, `reason`, `durationMs` and `err`
 * (type, code, message, hint, cause; stack at debug and trace). Every finished line passes through
 * {@link redact}, so that no field, nesting or error can carry a key past it.
 */
export async function createLogger(options: LoggerOptions): Promise<Logger> {
  const { level, pretty, color, destination = process.stderr } = options;
  const format = pretty ? await prettyLines(color) : undefined;
  const withStack = level === "debug" || level === "trace";
  const serialize = (thrown: unknown) => errorFields(thrown, withStack);
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serialize, error: serialize },
      hooks: {
        // What is logged may throw while it is read; that must not stop who logs it.
        logMethod(args, method) {
          try {
            method.apply(this, args);
          } catch {
            method.call(this, "something was logged here that cannot be shown");
          }
        },
      },
    },
    {
      write: (line: string) => {
        const safe = redact(line);
        destination.write(format ? format(safe) : safe);
      },
    },
  );
}

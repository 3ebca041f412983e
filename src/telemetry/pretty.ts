import type { PrettyOptions } from "pino-pretty";
import type { ErrorFields } from "./error-fields.ts";

/**
 * Makes a formatter of JSON log lines for a terminal: `HH:MM:SS level key rotation message`, then
 * the other fields, all on one line; a stack, where there is one, on lines of its own. Control
 * characters do not get through.
 */
export async function prettyLines(color: boolean): Promise<(line: string) => string> {
  const { prettyFactory } = await import("pino-pretty");
  return prettyFactory({
    colorize: color,
    singleLine: true,
    ignore: "time,level,key,rotation,err",
    messageFormat: headline,
  });
}

const headline: Exclude<PrettyOptions["messageFormat"], string | false | undefined> = (
  log,
  messageKey,
  _levelLabel,
  { colors },
) => {
  const level = String(log.level);
  const paint = { warn: colors.yellow, error: colors.red, fatal: colors.red }[level] ?? colors.green;
  const error = log.err as ErrorFields | undefined;
  const words = [
    colors.gray(localTime(String(log.time))),
    paint(level.padEnd(5)),
    log.key === undefined ? "" : colors.cyan(oneLine(log.key)),
    log.rotation === undefined ? "" : colors.gray(oneLine(log.rotation)),
    oneLine(log[messageKey] ?? ""),
    error === undefined ? "" : inWords(error, String(log[messageKey])),
  ];
  return (
    words.filter((word) => word !== "").join(" ") +
    (error?.stack === undefined ? "" : `\n${error.stack.split("\n").map(oneLine).join("\n")}`)
  );
};

function inWords({ code, message, hint }: ErrorFields, headline: string): string {
  const said = headline === message ? "" : `${oneLine(message)} `;
  return `${said}(${code ?? "error"}${hint === undefined ? "" : `; ${oneLine(hint)}`})`;
}

function localTime(iso: string): string {
  const at = new Date(iso);
  return [at.getHours(), at.getMinutes(), at.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}

/** Nothing logged may pass for another line, nor tell the terminal what to do. */
function oneLine(value: unknown): string {
  return String(value).replace(/\s*[\p{Cc}\p{Bidi_Control}]+\s*/gu, " ");
}

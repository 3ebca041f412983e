import { InvalidArgumentError, Option } from "commander";
import { durationOption } from "../options.ts";

/** The options of `rotate keys …`. In a list `none` on the command line is an empty one. */

/** Commander takes no null from a parser. */
export const NONE = "none";

export interface ProviderOptions {
  provider?: string;
  json?: boolean;
}

type Period = "daily" | "weekly" | "monthly";

export interface SettingOptions {
  limit?: number | typeof NONE;
  limitReset?: Period | typeof NONE;
  includeByokInLimit?: boolean;
  allowedProvider?: string[];
  allowedModel?: string[];
  /** Milliseconds from now. */
  expiresAfter?: number;
  /** ISO 8601. */
  expiresAt?: string;
  workspace?: string;
  creator?: string;
}

function credits(text: string): number | typeof NONE {
  if (text === NONE) return NONE;
  const amount = /^\d{1,12}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(amount))
    throw new InvalidArgumentError("Give an amount in credits like 25 or 0.5, or none.");
  return amount;
}

function flag(text: string): boolean {
  if (text !== "true" && text !== "false") throw new InvalidArgumentError("Give true or false.");
  return text === "true";
}

function instant(text: string): string {
  const whole = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text);
  if (!whole || Number.isNaN(Date.parse(text)))
    throw new InvalidArgumentError("Give an instant like 2027-12-31T23:59:59Z.");
  return new Date(text).toISOString().replace(/\.\d{3}Z$/, "Z");
}

function word(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("It is empty.");
  return text.trim();
}

/** Collects an option that may be given several times; `none` stands for an empty list. */
function collect(text: string, before: string[] = []): string[] {
  return text === NONE ? [] : [...before, word(text)];
}

export const providerOption = () =>
  new Option("--provider <name>", "a provider of the policy; may be left out when it has only one").argParser(
    word,
  );

/** Where else to look for keys. */
export const workspacesOption = () =>
  new Option(
    "--workspace <id>",
    "also this workspace (OpenRouter), besides the default one and those of the policy; may be repeated",
  ).argParser(collect);

/** What a key in use can be given. */
export const changeableOptions = () => [
  new Option("--limit <credits>", "the most it may spend, in credits, or none").argParser(credits),
  new Option("--limit-reset <period>", "when the limit starts afresh").choices([
    "daily",
    "weekly",
    "monthly",
    NONE,
  ]),
  new Option(
    "--include-byok-in-limit <true|false>",
    "whether spending through the account's own provider keys counts (OpenRouter)",
  ).argParser(flag),
  new Option("--allowed-provider <name>", "may be repeated; none: every provider (ARouter)").argParser(
    collect,
  ),
  new Option("--allowed-model <id>", "may be repeated; none: every model (ARouter)").argParser(collect),
];

/** What is fixed when a key is created. */
export const fixedOptions = () => [
  durationOption("--expires-after <duration>", "how long it lives, like 45d").conflicts("expiresAt"),
  new Option("--expires-at <instant>", "when it ends, like 2027-12-31T23:59:59Z").argParser(instant),
  new Option("--workspace <id>", "the workspace it is created in (OpenRouter)").argParser(word),
  new Option("--creator <user>", "the user it is created for (OpenRouter)").argParser(word),
];

export const nameOption = (flags: string, description: string) =>
  new Option(flags, description).argParser(word);

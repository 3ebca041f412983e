import type { IssuedKey } from "../../providers/provider.ts";
import { type ConsumerDraft, type Draft, draftOf, keyNameOf, type StoreType } from "./draft.ts";
import { probeOf } from "./flags.ts";
import type { Judge } from "./judge.ts";
import { keyLines } from "./key-lines.ts";

export interface Choice<T> {
  name: string;
  value: T;
  /** Why it is shown and cannot be chosen. */
  disabled?: string;
}

/** Asks a person. Each rejects with `Canceled` when the person gives up. */
export interface Prompts {
  select<T>(message: string, choices: readonly Choice<T>[]): Promise<T>;
  /** Asks again until `fault` finds nothing wrong. */
  input(
    message: string,
    options: { preset?: string; fault?: (text: string) => Promise<string | undefined> },
  ): Promise<string>;
  confirm(message: string, preset: boolean): Promise<boolean>;
}

/** The person has given up. */
export class Canceled extends Error {}

export interface AskParts {
  prompts: Prompts;
  judge: Judge;
  /** The account's keys; undefined where there is no management key at hand, and then nobody is asked. */
  keysOf: (given: Partial<Draft>) => Promise<IssuedKey[] | undefined>;
}

/** Asks for everything that was not given. What is typed is judged by the loader before the next question. */
export async function askFor(given: Partial<Draft>, parts: AskParts): Promise<Partial<Draft>> {
  let said = given;
  for (const question of QUESTIONS) said = { ...said, ...(await question(said, parts)) };
  return said;
}

type Question = (said: Partial<Draft>, parts: AskParts) => Promise<Partial<Draft>>;

const QUESTIONS: readonly Question[] = [
  askProvider,
  askManagementKey,
  askKey,
  askName,
  askSchedule,
  askStore,
  askSecret,
  askConsumers,
  askNotify,
];

async function askProvider(said: Partial<Draft>, { prompts }: AskParts): Promise<Partial<Draft>> {
  if (said.provider !== undefined) return {};
  const provider = await prompts.select("Who issues the key?", [
    { name: "OpenRouter", value: "openrouter" as const },
    { name: "ARouter", value: "arouter" as const },
  ]);
  return { provider };
}

async function askManagementKey(said: Partial<Draft>, parts: AskParts): Promise<Partial<Draft>> {
  if (said.managementKey !== undefined) return {};
  const kind = await parts.prompts.select(
    "Where is the management key? It is never written into the policy.",
    [
      { name: "in an environment variable", value: "env" as const },
      { name: "in a file", value: "file" as const },
    ],
  );
  if (kind === "file") {
    const file = await typed(parts, said, "Path of the file:", "--management-key-file", (path) => ({
      managementKey: { file: path },
    }));
    return { managementKey: { file } };
  }
  const preset = draftOf(said).managementKey;
  const env = await typed(
    parts,
    said,
    "Name of the variable:",
    "--management-key-env",
    (name) => ({ managementKey: { env: name } }),
    "env" in preset ? preset.env : undefined,
  );
  return { managementKey: { env } };
}

async function askKey(said: Partial<Draft>, { prompts, keysOf }: AskParts): Promise<Partial<Draft>> {
  if (said.adopt !== undefined) return {};
  const keys = await keysOf(said);
  if (keys === undefined || keys.length === 0) return {};
  const lines = keyLines(keys);
  const issued = await prompts.select<IssuedKey | undefined>("Which key is to be rotated?", [
    { name: "a new key, made by keyturn", value: undefined },
    ...keys.map((key, i) => ({
      name: lines[i] ?? key.hash,
      value: key,
      ...(key.disabled ? { disabled: "(disabled)" } : {}),
    })),
  ]);
  return issued === undefined ? {} : { adopt: { hash: issued.hash, issued } };
}

async function askName(said: Partial<Draft>, parts: AskParts): Promise<Partial<Draft>> {
  if (said.key !== undefined) return {};
  const issued = said.adopt?.issued;
  const preset = issued ? keyNameOf(issued) : "payments-api";
  const message = "What is the key called in the policy?";
  return { key: await typed(parts, said, message, "--key", (key) => ({ key }), preset) };
}

async function askSchedule(said: Partial<Draft>, parts: AskParts): Promise<Partial<Draft>> {
  if (said.schedule !== undefined) return {};
  const chosen = await parts.prompts.select("When is it replaced?", [
    { name: "every 30 days", value: "30d" },
    { name: "every 7 days", value: "7d" },
    { name: "at times of a cron schedule", value: "" },
    { name: "only by hand", value: "none" },
  ]);
  if (chosen !== "") return { schedule: chosen };
  const schedule = await typed(
    parts,
    said,
    "Cron of five fields:",
    "--schedule",
    (text) => ({ schedule: text }),
    "0 10 * * 2",
  );
  if (said.timezone !== undefined) return { schedule };
  const at = { ...said, schedule };
  const message = "In which time zone?";
  return {
    schedule,
    timezone: await typed(parts, at, message, "--timezone", (timezone) => ({ timezone }), "Etc/UTC"),
  };
}

const STORE_CHOICES: readonly { name: string; value: StoreType }[] = [
  { name: "in a file", value: "file" },
  { name: "in AWS Secrets Manager", value: "aws" },
  { name: "in a Secret of Kubernetes", value: "kubernetes" },
];

async function askStore(said: Partial<Draft>, parts: AskParts): Promise<Partial<Draft>> {
  const store = said.store ?? (await parts.prompts.select("Where do the services read it?", STORE_CHOICES));
  const at = { ...said, store };
  if (store === "file" && said.storePath === undefined) {
    const preset = draftOf(said).storePath;
    const path = await typed(
      parts,
      at,
      "Folder of the files:",
      "--store-path",
      (storePath) => ({ storePath }),
      preset,
    );
    return { store, storePath: path };
  }
  if (store === "kubernetes" && said.namespace === undefined) {
    const message = "Namespace of the Secret:";
    return {
      store,
      namespace: await typed(parts, at, message, "--namespace", (namespace) => ({ namespace })),
    };
  }
  if (store === "aws" && said.region === undefined) {
    const message = "AWS region (empty: as the AWS SDK finds it):";
    const region = await typed(
      parts,
      at,
      message,
      "--region",
      (text) => (text === "" ? {} : { region: text }),
      "",
    );
    return region === "" ? { store } : { store, region };
  }
  return { store };
}

async function askSecret(said: Partial<Draft>, parts: AskParts): Promise<Partial<Draft>> {
  const preset = draftOf(said);
  const secret =
    said.secret ??
    (await typed(
      parts,
      said,
      "Name of the secret:",
      "--secret",
      (text) => ({ secret: text }),
      preset.secret,
    ));
  const at = { ...said, secret };
  if ("field" in said) return { secret, ...(await askCreate(at, parts)) };
  const message =
    preset.store === "kubernetes"
      ? "Entry of the Secret:"
      : "Field in it (- where the secret is the key alone):";
  const field = await typed(parts, at, message, "--field", fieldOf, preset.field);
  return { secret, ...fieldOf(field), ...(await askCreate(at, parts)) };
}

function fieldOf(text: string): Partial<Draft> {
  return { field: text === "-" ? undefined : text };
}

/** Where a typo could otherwise mint a key. */
async function askCreate(said: Partial<Draft>, { prompts }: AskParts): Promise<Partial<Draft>> {
  if (said.create !== undefined || said.store === "file" || said.adopt !== undefined) return {};
  const create = await prompts.confirm("May keyturn make the secret, where it is not there yet?", false);
  return create ? { create } : {};
}

async function askConsumers(said: Partial<Draft>, parts: AskParts): Promise<Partial<Draft>> {
  if (said.consumers !== undefined || said.retireAfter !== undefined) return {};
  const consumers: ConsumerDraft[] = [];
  for (;;) {
    const first = consumers.length === 0;
    const name = await typed(
      parts,
      said,
      first
        ? "A service that uses the key, by name (empty: none that can be asked):"
        : "Another service that uses it (empty: that is all):",
      "--consumer",
      (text) => (text === "" ? {} : { consumers: [...consumers, { name: text, probe: EXAMPLE }] }),
      "",
    );
    if (name === "") break;
    const how = await typed(
      parts,
      said,
      `Health URL of ${name} (or deployment/NAME, or exec:COMMAND):`,
      "--consumer",
      (text) => ({ consumers: [...consumers, { name, probe: probeOf(text) }] }),
    );
    consumers.push({ name, probe: probeOf(how) });
  }
  if (consumers.length > 0) return { consumers };
  const message = "How long does everybody need to take a new key?";
  const retireAfter = await typed(
    parts,
    said,
    message,
    "--retire-after",
    (text) => ({ retireAfter: text }),
    "24h",
  );
  return { retireAfter };
}

const EXAMPLE = { urls: ["http://127.0.0.1:8080/healthz"] };

async function askNotify(said: Partial<Draft>, parts: AskParts): Promise<Partial<Draft>> {
  if (said.notifyEnv !== undefined) return {};
  const notifyEnv = await typed(
    parts,
    said,
    "Variable with the URL of a webhook to call for help (empty: none):",
    "--notify-env",
    (text) => (text === "" ? {} : { notifyEnv: text }),
    "",
  );
  return notifyEnv === "" ? {} : { notifyEnv };
}

/** Asks for a text until the policy that it makes has no fault where `option` shows. */
function typed(
  { prompts, judge }: AskParts,
  said: Partial<Draft>,
  message: string,
  option: string,
  means: (text: string) => Partial<Draft>,
  preset?: string,
): Promise<string> {
  return prompts.input(message, {
    ...(preset === undefined ? {} : { preset }),
    fault: async (text) => {
      const judgement = await judge({ ...said, ...means(text.trim()) });
      if ("loaded" in judgement) return undefined;
      return judgement.problems.find((problem) => problem.option === option)?.message;
    },
  });
}

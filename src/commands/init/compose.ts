import { parseDuration } from "../../policy/duration.ts";
import type { IssuedKey } from "../../providers/provider.ts";
import { plain } from "../render/issued-keys.ts";
import type { ConsumerDraft, Draft, ProviderType } from "./draft.ts";

export interface Surroundings {
  /** Path or address of the JSON Schema, as the file names it. */
  schema?: string | undefined;
  /** The provider's address comes from the environment, as the sandbox sets it. */
  baseUrlFrom?: { variable: string; fallback: string } | undefined;
}

/** The text of a policy, commented. Whether it is valid the loader says. */
export function compose(draft: Draft, { schema, baseUrlFrom }: Surroundings = {}): string {
  const { provider, managementKey, key } = draft;
  const lines = [
    ...(schema === undefined ? [] : [`# yaml-language-server: $schema=${schema}`, "#"]),
    "# What keyturn keeps fresh, written by `rotate init`. Change what you like; `rotate validate` checks it.",
    `# Paths start at this file's folder. \${NAME} and \${NAME:-default} read the environment.`,
    "version: 1",
    "# installation: prod-eu              # a name for this deployment, where there are several",
    "",
    "providers:",
    `  ${provider}:`,
    `    type: ${provider}`,
    `    managementKey: ${flow(managementKey)}   # read at each use, and never written here`,
    ...(baseUrlFrom === undefined
      ? []
      : [`    baseUrl: \${${baseUrlFrom.variable}:-${baseUrlFrom.fallback}}`]),
    "",
    "stores:",
    `  ${STORE_NAMES[draft.store]}: ${flow(storeOf(draft))}`,
    "",
    ...journalOf(draft),
    "",
    "keys:",
    `  - name: ${scalar(key)}`,
    `    provider: ${provider}`,
    ...scheduleOf(draft),
    ...settingsOf(draft),
    ...adoptOf(draft),
    ...secretOf(draft),
    ...consumersOf(draft),
    ...endOf(draft),
  ];
  return `${lines.join("\n")}\n`;
}

const STORE_NAMES = { file: "local", aws: "aws", kubernetes: "cluster" } as const;

function storeOf({ store, storePath, region, namespace, context }: Draft): Record<string, unknown> {
  if (store === "file") return { type: "file", path: storePath };
  if (store === "aws") return { type: "aws-secrets-manager", region };
  return { type: "kubernetes", namespace, context };
}

/** Beside the secrets: a pod has no disk that lasts. */
function journalOf({ store, context }: Draft): string[] {
  if (store !== "kubernetes")
    return [
      "journal: { type: sqlite, path: ./.keyturn/journal.db }   # what the worker remembers; never a key",
      "# server: { address: 127.0.0.1, port: 8080 }              # status page, metrics and health of `rotate worker`",
    ];
  return [
    `journal: ${flow({ type: "kubernetes", namespace: "keyturn", context })}   # where keyturn runs; never holds a key`,
    "server: { address: 0.0.0.0, port: 8080 }   # the status page, metrics and health of `rotate worker`",
  ];
}

function scheduleOf({ schedule, timezone }: Draft): string[] {
  const zone = `    timezone: ${scalar(timezone)}`;
  const said = timezone === "Etc/UTC" ? [] : [zone];
  if (schedule === "none") return ["    schedule: none   # by hand only: rotate --now", ...said];
  if (!Number.isNaN(parseDuration(schedule))) return [`    schedule: ${flow({ every: schedule })}`, ...said];
  return [`    schedule: ${JSON.stringify(schedule)}`, zone];
}

function settingsOf({ provider, adopt, workspaces }: Draft): string[] {
  const issued = adopt?.issued;
  // Of a key that was found it is known whether it lies in the default one, which is not named.
  const workspace = issued ? workspaces.find((id) => id === issued.workspaceId) : workspaces[0];
  const settings = {
    ...(issued ? settingsLike(issued, provider) : {}),
    ...(workspace === undefined ? {} : { workspaceId: workspace }),
  };
  const entries = Object.entries(settings).map(([name, value]) => `      ${name}: ${flow(value)}`);
  const expiry = issued ? expiryOf(issued) : [];
  if (entries.length > 0) {
    const why = issued
      ? "those of the key found; each new key starts its limit afresh"
      : "what is left out is inherited from the key that is replaced";
    return [`    settings:   # ${why}`, ...entries, ...expiry];
  }
  if (issued) return ["    # settings: none are set on the key found", ...expiry];
  return [
    "    # settings:                        # what is left out is inherited from the key that is replaced",
    "    #   limit: 150                     # credits",
    "    #   limitReset: monthly",
    ...(provider === "arouter" ? ["    #   allowedModels: [gpt-5.4]"] : []),
  ];
}

/** What a replacement of a key is to be given. `null` and empty lists restrict nothing. */
function settingsLike(issued: IssuedKey, provider: ProviderType): Record<string, unknown> {
  const { limit, limitReset, includeByokInLimit, allowedProviders, allowedModels } = issued;
  return {
    ...(typeof limit === "number" ? { limit } : {}),
    ...(typeof limit === "number" && limitReset ? { limitReset } : {}),
    ...(provider === "openrouter" && includeByokInLimit === true ? { includeByokInLimit } : {}),
    ...(provider === "arouter" && allowedProviders?.length ? { allowedProviders } : {}),
    ...(provider === "arouter" && allowedModels?.length ? { allowedModels } : {}),
  };
}

const DAY = 86_400_000;

/** An expiry does not move along: what would is left to be decided. */
function expiryOf({ createdAt, expiresAt }: IssuedKey): string[] {
  const end = Date.parse(expiresAt ?? "");
  if (Number.isNaN(end)) return [];
  const days = Math.round((end - Date.parse(createdAt ?? "")) / DAY);
  const suggested = days >= 1 ? `${days}d` : "45d";
  return [
    `    # The key found expires at ${new Date(end).toISOString()}. Replacements that expire too, so long after their creation:`,
    `    #   expiresAfter: ${suggested}`,
  ];
}

function adoptOf({ adopt }: Draft): string[] {
  if (adopt === undefined) return [];
  const known = [adopt.issued?.name, adopt.issued?.label].filter((text) => text !== undefined).map(plain);
  const comment = known.length === 0 ? "" : `   # ${known.join(", ")}`;
  return [`    adopt: ${flow({ hash: adopt.hash })}${comment}`];
}

function secretOf({ store, secret, field, create }: Draft): string[] {
  return [
    `    store: ${flow({ use: STORE_NAMES[store], secret, field, create })}`,
    ...(create === undefined && store !== "file"
      ? ["    # create: true in it lets keyturn make the secret, where it is not there yet"]
      : []),
  ];
}

function consumersOf({ consumers }: Draft): string[] {
  if (consumers.length === 0)
    return ["    consumers: none   # nobody can be asked: retire.after is the time that every user has"];
  return ["    consumers:   # every service that uses the key", ...consumers.flatMap(consumerOf)];
}

function consumerOf({ name, probe }: ConsumerDraft): string[] {
  const start = [`      - name: ${scalar(name)}`];
  if ("rollout" in probe)
    return [
      ...start,
      `        reload: ${flow({ kubernetes: { restart: probe.rollout } })}`,
      `        probe: ${flow({ kubernetes: { rollout: probe.rollout } })}`,
    ];
  if ("exec" in probe) return [...start, `        probe: ${flow({ exec: probe.exec })}`];
  const [first = "", ...more] = probe.urls;
  if (more.length > 0) return [...start, `        probe: ${flow({ http: probe.urls })}`];
  if (!isName(first)) return [...start, `        probe: ${flow({ http: first })}`];
  return [
    ...start,
    `        probe: ${flow({ http: first, resolve: "all" })}   # every address of the name is an instance`,
  ];
}

/** Whether the host of a URL is a name that may stand for several machines. */
function isName(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  return !/^[\d.]+$|^\[|(^|\.)localhost$/.test(hostname);
}

function endOf({ consumers, retireAfter, notifyEnv }: Draft): string[] {
  return [
    ...(consumers.length === 0
      ? []
      : [
          "    confirm: { timeout: 1h, onTimeout: hold }   # or rollback, after so long without confirmation",
        ]),
    `    retire: ${flow({ after: retireAfter, keepDisabledFor: "24h" })}   # a day in which \`rotate rollback\` can bring the old key back`,
    ...(notifyEnv === undefined
      ? []
      : [
          `    notify: [${flow({ http: { url: { env: notifyEnv } } })}]   # on held, reverted, failed and overdue`,
        ]),
  ];
}

/** A value on one line; fields that are undefined are left out. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
    return `{ ${entries.map(([name, entry]) => `${name}: ${flow(entry)}`).join(", ")} }`;
  }
  return typeof value === "string" ? scalar(value) : String(value);
}

const PLAIN = /^(\.{0,2}\/\.?)?[A-Za-z_][\w./-]*$|^https?:\/\/[\w.:/-]*[\w/]$|^\d+(ms|s|m|h|d)$/;
const MEANS_SOMETHING = /^(true|false|null|y|n|yes|no|on|off)$/i;

/** Text as YAML; in quotes where it would be read as something else. */
function scalar(text: string): string {
  return PLAIN.test(text) && !MEANS_SOMETHING.test(text) ? text : JSON.stringify(text);
}

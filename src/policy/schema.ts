import { z } from "zod";
import type { SecretSource } from "../lib/secret-source.ts";
import { parseDuration } from "./duration.ts";

/**
 * The one description of rotation.yaml: the TypeScript types and config/rotation.schema.json
 * both come from here. Durations are parsed to milliseconds. What crosses fields is in checks.ts.
 */

const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, "a duration like 500ms, 90s, 15m, 24h or 30d")
  .transform(parseDuration)
  .describe("A duration: 500ms, 90s, 15m, 24h or 30d.");

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]*$/, "a name of lower-case letters, digits and hyphens that starts with a letter or digit")
  .max(63);

const envRef = z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of an environment variable") });
const fileRef = z.strictObject({ file: z.string().min(1) });
/** Where a secret is read from, again at each use. A literal is refused. */
export const secretSource = z
  .union([envRef, fileRef])
  .describe("A secret is never written here: { env: NAME } or { file: PATH }.");
export type { SecretSource } from "../lib/secret-source.ts";

const url = z.string().regex(/^https?:\/\/[^/?#\s]+/, "an http:// or https:// URL");
const urlOrSecret = z.union([url, secretSource]);
const header = z.union([z.string(), secretSource]);

const auth = z.union([
  z.strictObject({ bearer: secretSource }),
  z.strictObject({ basic: z.strictObject({ username: z.string(), password: secretSource }) }),
  z.strictObject({ header: z.strictObject({ name: z.string().min(1), value: secretSource }) }),
]);

const tls = z.strictObject({
  ca: z.string().describe("PEM file of the certificate authority to trust.").optional(),
  cert: z.string().describe("PEM file of our client certificate.").optional(),
  key: z.string().describe("PEM file of our client certificate's key.").optional(),
  serverName: z.string().describe("Name for SNI and for checking the certificate.").optional(),
});

const httpObject = z.strictObject({
  url: z.union([urlOrSecret, z.array(urlOrSecret).min(1)]),
  method: z.enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]).optional(),
  headers: z.record(z.string(), header).optional(),
  body: z.string().optional(),
  auth: auth.optional(),
  tls: tls.optional(),
  proxy: url.describe("Probes and reloads go direct unless this is set.").optional(),
});
type HttpObject = z.output<typeof httpObject>;

/** `http:` in its one form: a URL, a list, or an object. */
export type HttpTarget = Omit<HttpObject, "url"> & { urls: (string | SecretSource)[] };

const http = z
  .union([url, z.array(url).min(1), httpObject])
  .transform((value): HttpTarget => {
    if (typeof value === "string") return { urls: [value] };
    if (Array.isArray(value)) return { urls: value };
    const { url: urls, ...rest } = value;
    return { ...rest, urls: Array.isArray(urls) ? urls : [urls] };
  })
  .describe("A URL, a list of URLs, or { url, method, headers, body, auth, tls, proxy }.");

const command = z.array(z.string()).min(1).describe("A program and its arguments; no shell.");

const expectation = z.strictObject({
  status: z.union([z.int().min(100).max(599), z.array(z.int().min(100).max(599)).min(1)]).optional(),
  json: z
    .record(
      z.string().regex(/^(\/|$)/, "a JSON pointer like /llm/key"),
      z.union([z.string(), z.number(), z.boolean(), z.null()]),
    )
    .describe("JSON pointers and the values expected there.")
    .optional(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.string().describe("Text that the body must contain.").optional(),
});
export type Expectation = z.output<typeof expectation>;

const probe = z.strictObject({
  http: http.optional(),
  exec: command.optional(),
  resolve: z.enum(["first", "all"]).default("first").describe("all: every address behind the name is an instance."),
  instances: z.int().min(1).describe("At least so many instances must answer.").optional(),
  timeout: duration.prefault("5s").describe("For each answer."),
  expect: expectation.optional(),
  trustStatus: z.boolean().default(false).describe("Accept a probe that cannot tell the new key from the old."),
  evidence: z.enum(["usage"]).optional(),
});
export type ProbePolicy = z.output<typeof probe>;

const reload = z.strictObject({
  http: http.optional(),
  exec: command.optional(),
  timeout: duration.prefault("30s"),
});
export type ReloadPolicy = z.output<typeof reload>;

const consumer = z.strictObject({ name, probe, reload: reload.optional() });
export type ConsumerPolicy = z.output<typeof consumer>;

const cron = z.string().describe("Cron of five fields.");
const schedule = z
  .union([z.literal("none"), cron, z.strictObject({ every: duration })])
  .describe("Cron of five fields, { every: 30d }, or none.");

const windowPolicy = z.strictObject({ kind: z.enum(["deny", "allow"]), schedule: cron, duration });
export type WindowPolicy = z.output<typeof windowPolicy>;

const settings = z.strictObject({
  limit: z.number().min(0).nullable().describe("In credits; null for none.").optional(),
  limitReset: z.enum(["daily", "weekly", "monthly"]).nullable().optional(),
  includeByokInLimit: z.boolean().optional(),
  expiresAfter: duration.optional(),
  expiresAt: z.iso.datetime({ offset: true }).describe("An instant, for example 2027-12-31T23:59:59Z.").optional(),
  workspaceId: z.string().min(1).describe("OpenRouter.").optional(),
  creatorUserId: z.string().min(1).describe("OpenRouter.").optional(),
  allowedProviders: z.array(z.string().min(1)).describe("ARouter.").optional(),
  allowedModels: z.array(z.string().min(1)).describe("ARouter.").optional(),
});
export type SettingsPolicy = z.output<typeof settings>;

const storeRef = z.strictObject({
  use: z.string().describe("A name under stores."),
  secret: z.string().min(1),
  field: z.string().min(1).describe("The secret is a JSON object and this its field.").optional(),
  create: z.boolean().describe("Whether an absent secret is created; default true for files, false elsewhere.").optional(),
});

const notifyEvent = z.enum(["planned", "promoted", "confirmed", "completed", "reverted", "held", "failed", "overdue", "pass"]);
const notify = z.strictObject({ http, on: z.array(notifyEvent).min(1).optional() });

export const keySchema = z.strictObject({
  name,
  formerly: z.array(name).default([]),
  provider: z.string().describe("A name under providers."),
  schedule,
  timezone: z.string().default("Etc/UTC"),
  spread: duration.prefault("0s").describe("Jitter added to each due instant."),
  renewBefore: duration.describe("Due this long before the key expires; default a third of its life.").optional(),
  retry: z.strictObject({ after: duration.prefault("1h"), max: duration.default("24h" as never) }).prefault({}),
  suspend: z.boolean().default(false),
  windows: z.array(windowPolicy).default([]),
  settings: settings.default({}),
  settingsDrift: z.enum(["report", "apply"]).default("report"),
  store: storeRef,
  consumers: z.union([z.literal("none"), z.array(consumer).min(1)]),
  confirm: z
    .strictObject({
      timeout: duration.prefault("1h"),
      interval: duration.prefault("5s"),
      successThreshold: z.int().min(1).max(100).default(3),
      onTimeout: z.enum(["hold", "rollback"]).default("hold"),
    })
    .prefault({}),
  retire: z
    .strictObject({
      after: duration.prefault("0s").describe("How long both keys live on after confirmation."),
      requireQuiet: z.boolean().default(false).describe("The old key's usage must not rise any more."),
      watch: duration.prefault("1m").describe("How long consumers are watched with the old key disabled."),
      keepDisabledFor: duration.prefault("0s").describe("Soak between disabling and deleting."),
    })
    .prefault({}),
  notify: z.array(notify).default([]),
  adopt: z.strictObject({ hash: z.string().min(1) }).optional(),
});
/** One key of the policy, defaults merged in, durations in milliseconds. */
export type KeyPolicy = z.output<typeof keySchema>;

const provider = z.strictObject({
  type: z.enum(["openrouter", "arouter"]),
  managementKey: secretSource,
  baseUrl: url.optional(),
  headers: z.record(z.string(), z.string()).default({}),
  rateLimit: z
    .strictObject({ requestsPerSecond: z.number().positive().default(10), concurrency: z.int().min(1).default(8) })
    .prefault({}),
});
export type ProviderPolicy = z.output<typeof provider>;

const mode = z.string().regex(/^0?[0-7]{3}$/, 'a file mode like "0600", in quotes');
const fileStore = z.strictObject({
  type: z.literal("file"),
  path: z.string().min(1),
  mode: mode.default("0600"),
  dirMode: mode.default("0700"),
});
export type FileStorePolicy = z.output<typeof fileStore>;
const store = z.discriminatedUnion("type", [fileStore]);
export type StorePolicy = z.output<typeof store>;

const journal = z.strictObject({ type: z.literal("sqlite"), path: z.string().min(1) });
export type JournalPolicy = z.output<typeof journal>;

export const policySchema = z.strictObject({
  version: z.literal(1),
  installation: name.default("default"),
  providers: z.record(name, provider),
  stores: z.record(name, store),
  journal: journal.default({ type: "sqlite", path: "./.keyturn/journal.db" }),
  keys: z.array(keySchema).min(1),
});

/** A valid policy. Paths are absolute, `${NAME}` is filled in, defaults are merged into each key. */
export type Policy = z.output<typeof policySchema>;

import { z } from "zod";
import type { SecretSource } from "../lib/secret-source.ts";
import { LONGEST_DURATION, parseDuration } from "./duration.ts";

/**
 * The one description of rotation.yaml: the TypeScript types and config/rotation.schema.json
 * both come from here. Durations are parsed to milliseconds. What crosses fields is in checks.ts.
 * `accepts` says in a message what may stand there; `describe` is what an editor shows.
 */

const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/)
  .refine((text) => !(parseDuration(text) > LONGEST_DURATION))
  .transform(parseDuration)
  .meta({ accepts: "a duration like 500ms, 90s, 15m, 24h or 30d, of at most 100 years" });

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]*$/)
  .max(63)
  .meta({
    accepts:
      "a name of lower-case letters, digits and hyphens, 63 at most, that starts with a letter or digit",
  });

const path = z.string().min(1).meta({ accepts: "a path" });

const envRef = z.strictObject({
  env: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
    .describe("Name of the environment variable that holds it.")
    .meta({ accepts: "the name of an environment variable" }),
});
const fileRef = z.strictObject({ file: path.describe("File that holds it, read again at each use.") });
/** Where a secret is read from, again at each use. A literal is refused. */
export const secretSource = z
  .union([envRef, fileRef])
  .describe("A secret is never written here: { env: NAME } or { file: PATH }.")
  .meta({ accepts: "{ env: NAME } or { file: PATH }" });
export type { SecretSource } from "../lib/secret-source.ts";

const url = z
  .string()
  .regex(/^https?:\/\/[^/?#\s]+/)
  .refine((text) => URL.canParse(text))
  .meta({ accepts: "an http:// or https:// URL" });
const urlOrSecret = z
  .union([url, secretSource])
  .meta({ accepts: "an http:// or https:// URL, or { env: NAME } or { file: PATH } that holds one" });
const header = z.union([z.string(), secretSource]).meta({ accepts: "text, { env: NAME } or { file: PATH }" });

const auth = z
  .union([
    z.strictObject({ bearer: secretSource.describe("authorization: Bearer, with the secret behind it.") }),
    z.strictObject({
      basic: z
        .strictObject({
          username: z.string().describe("No secret: it may stand here."),
          password: secretSource,
        })
        .describe("authorization: Basic, of a user name and a password."),
    }),
    z.strictObject({
      header: z
        .strictObject({ name: z.string().min(1).describe("The header's name."), value: secretSource })
        .describe("A header of another name that holds the secret."),
    }),
  ])
  .describe("How the request proves who it is; one of the three.")
  .meta({ accepts: "{ bearer: … }, { basic: { username, password } } or { header: { name, value } }" });

const tls = z.strictObject({
  ca: path.describe("PEM file of the certificate authority to trust.").optional(),
  cert: path.describe("PEM file of our client certificate.").optional(),
  key: path.describe("PEM file of our client certificate's key.").optional(),
  serverName: z.string().describe("Name for SNI and for checking the certificate.").optional(),
});

const httpObject = z.strictObject({
  url: z
    .union([urlOrSecret, z.array(urlOrSecret).min(1)])
    .describe("A URL, or one for each instance.")
    .meta({
      accepts:
        "an http:// or https:// URL, a list of them, or { env: NAME } or { file: PATH } that holds one",
    }),
  method: z
    .enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
    .describe("Default: GET for a probe, POST for a reload and a notification.")
    .optional(),
  headers: z
    .record(z.string(), header)
    .describe("Extra headers; one that is a secret is named by { env: NAME } or { file: PATH }.")
    .optional(),
  body: z.string().describe("Sent as it stands; set the content-type header with it.").optional(),
  auth: auth.optional(),
  tls: tls.describe("For https://: whom to trust, and our own certificate.").optional(),
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
  .describe("A URL, a list of URLs, or { url, method, headers, body, auth, tls, proxy }.")
  .meta({
    accepts:
      "an http:// or https:// URL, a list of them, or { url, method, headers, body, auth, tls, proxy }",
  });

const command = z
  .array(z.string())
  .min(1)
  .describe("A program and its arguments; no shell.")
  .meta({ accepts: "a list of a program and its arguments" });

const expectation = z.strictObject({
  status: z
    .union([z.int().min(100).max(599), z.array(z.int().min(100).max(599)).min(1)])
    .describe("An HTTP status, or a list of those that will do.")
    .meta({ accepts: "an HTTP status from 100 to 599, or a list of them" })
    .optional(),
  json: z
    .record(
      z
        .string()
        .regex(/^(\/|$)/)
        .meta({ accepts: "a JSON pointer like /llm/key" }),
      z
        .union([z.string(), z.number(), z.boolean(), z.null()])
        .meta({ accepts: "text, a number, true, false or null" }),
    )
    .describe("JSON pointers and the values expected there.")
    .optional(),
  headers: z
    .record(z.string(), z.string())
    .describe("Headers of the answer and the values expected in them.")
    .optional(),
  body: z.string().describe("Text that the body must contain.").optional(),
});
export type Expectation = z.output<typeof expectation>;

const kubeNamespaceRef = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
  .max(63)
  .describe("Default: that of the key's Kubernetes store, else the cluster's.")
  .meta({ accepts: "a Kubernetes namespace like shop" });
const kubeSecretRef = z
  .string()
  .regex(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/)
  .max(253)
  .describe("The Secret that the pods read. Default: what the ExternalSecret writes, else the key's own.")
  .meta({ accepts: "the name of a Kubernetes Secret like payments-openrouter" });
const workloadRef = z
  .string()
  .regex(/^(deployment|statefulset|daemonset)\/[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/)
  .max(265)
  .meta({ accepts: "deployment/NAME, statefulset/NAME or daemonset/NAME" });

const labelKey = "([A-Za-z0-9][-.A-Za-z0-9]*/)?[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?";
const labelValue = "([A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?)?";
const labelTerm = `(!?${labelKey}|${labelKey} *(=|==|!=) *${labelValue}|${labelKey} +(in|notin) +\\( *${labelValue}( *, *${labelValue})* *\\))`;

const podsProbe = z.strictObject({
  selector: z
    .string()
    .regex(new RegExp(`^ *${labelTerm}( *, *${labelTerm})* *$`))
    .max(1000)
    .describe("Label selector: every pod that matches, and has not finished, is an instance.")
    .meta({ accepts: "a label selector like app=payments" }),
  port: z
    .int()
    .min(1)
    .max(65_535)
    .describe("The container's port, not a Service's.")
    .meta({ accepts: "a port from 1 to 65535" }),
  path: z
    .string()
    .regex(/^\/[^#\s]*$/)
    .describe("Of the health URL.")
    .meta({ accepts: "a path like /healthz" }),
  scheme: z
    .enum(["http", "https"])
    .default("http")
    .describe("Pods are asked by address: with https give the certificate's name as tls.serverName."),
  namespace: kubeNamespaceRef.optional(),
  headers: z.record(z.string(), header).describe("Extra headers, as of an http probe.").optional(),
  auth: auth.optional(),
  tls: tls.describe("For scheme https: whom to trust, and our own certificate.").optional(),
});
export type PodsProbePolicy = z.output<typeof podsProbe>;

const rolloutProbe = z.strictObject({
  rollout: workloadRef.describe(
    "The workload whose pods read the key at their start: confirmed when all of them started since.",
  ),
  namespace: kubeNamespaceRef.optional(),
  secret: kubeSecretRef.optional(),
});
export type RolloutProbePolicy = z.output<typeof rolloutProbe>;

const kubernetesReload = z.strictObject({
  sync: z
    .string()
    .regex(/^externalsecret\/[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/)
    .max(268)
    .describe("The ExternalSecret that is told to refresh.")
    .meta({ accepts: "externalsecret/NAME" })
    .optional(),
  restart: workloadRef.describe("The workload whose pods are replaced by new ones.").optional(),
  namespace: kubeNamespaceRef.optional(),
  secret: kubeSecretRef.optional(),
});
export type KubernetesReloadPolicy = z.output<typeof kubernetesReload>;

const probe = z.strictObject({
  http: http.optional(),
  exec: command.optional(),
  pods: podsProbe.describe("Kubernetes pods, each asked by its own address.").optional(),
  kubernetes: rolloutProbe
    .describe("For images that cannot tell which key they use: the rollout after a restart.")
    .optional(),
  resolve: z
    .enum(["first", "all"])
    .default("first")
    .describe("all: every address behind the name is an instance."),
  instances: z.int().min(1).describe("At least so many instances must answer.").optional(),
  timeout: duration.prefault("5s").describe("For each answer."),
  expect: expectation
    .describe("What the answer must be like; left out: the contract for consumers.")
    .optional(),
  trustStatus: z
    .boolean()
    .default(false)
    .describe("Accept a probe that cannot tell the new key from the old."),
  evidence: z
    .enum(["usage"])
    .describe("Besides the probe, the provider's counters must show the new key used and the old one quiet.")
    .optional(),
});
export type ProbePolicy = z.output<typeof probe>;

const reload = z.strictObject({
  http: http.optional(),
  exec: command.optional(),
  kubernetes: kubernetesReload
    .describe("Kubernetes: refresh an ExternalSecret, wait for the Secret, restart a workload.")
    .optional(),
  timeout: duration.prefault("30s").describe("For the whole hook; one that fails is called again."),
});
export type ReloadPolicy = z.output<typeof reload>;

export const consumerSchema = z.strictObject({
  name: name.describe("Names the consumer in the log, in status and for `rotate approve --without`."),
  probe: probe.describe("How it is asked which key it uses: one of http, exec, pods and kubernetes."),
  reload: reload
    .describe("What makes it read the key again, called once the new key is in the store.")
    .optional(),
});
export type ConsumerPolicy = z.output<typeof consumerSchema>;

const cron = z.string().describe("Cron of five fields.");
const schedule = z
  .union([
    z.literal("none"),
    cron,
    z.strictObject({ every: duration.describe("Due so long after the last rotation.") }),
  ])
  .describe("Cron of five fields, { every: 30d }, or none.")
  .meta({ accepts: 'cron of five fields like "0 10 * * 2", { every: 30d }, or none' });

const windowPolicy = z.strictObject({
  kind: z.enum(["deny", "allow"]).describe("deny: not while it lasts. allow: only while one of these lasts."),
  schedule: cron.describe("Cron of five fields: when the window begins."),
  duration: duration.describe("How long it lasts."),
});
export type WindowPolicy = z.output<typeof windowPolicy>;

const settings = z.strictObject({
  limit: z.number().min(0).nullable().describe("In credits; null for none.").optional(),
  limitReset: z
    .enum(["daily", "weekly", "monthly"])
    .nullable()
    .describe("When what was spent counts from nothing again; null for never.")
    .optional(),
  includeByokInLimit: z
    .boolean()
    .describe("OpenRouter: whether calls with your own providers' keys count against the limit.")
    .optional(),
  expiresAfter: duration
    .describe("Each key expires so long after its creation; it is replaced before that.")
    .optional(),
  expiresAt: z.iso
    .datetime({ offset: true })
    .meta({ accepts: "an instant like 2027-12-31T23:59:59Z" })
    .describe("An instant, for example 2027-12-31T23:59:59Z.")
    .optional(),
  workspaceId: z
    .string()
    .min(1)
    .describe("OpenRouter: the workspace in which keys are issued. Default: that of the key replaced.")
    .optional(),
  creatorUserId: z
    .string()
    .min(1)
    .describe("OpenRouter: the member of an organization whom keys are issued for.")
    .optional(),
  allowedProviders: z
    .array(z.string().min(1))
    .describe("ARouter: the providers that keys may call.")
    .optional(),
  allowedModels: z.array(z.string().min(1)).describe("ARouter: the models that keys may call.").optional(),
});
export type SettingsPolicy = z.output<typeof settings>;

const storeRef = z.strictObject({
  use: z.string().describe("A name under stores."),
  secret: z.string().min(1).describe("Its name in the store; in AWS its name or ARN."),
  field: z
    .string()
    .min(1)
    .describe("The secret is a JSON object and this its field; of a Kubernetes Secret, the entry.")
    .optional(),
  create: z
    .boolean()
    .describe("Whether an absent secret is created; default true for files, false elsewhere.")
    .optional(),
});

export const notifyEvent = z.enum([
  "planned",
  "promoted",
  "confirmed",
  "completed",
  "reverted",
  "held",
  "failed",
  "overdue",
  "pass",
]);
export type NotifyEvent = z.output<typeof notifyEvent>;
const notify = z.strictObject({
  http: http.describe("Where it is posted to; of several URLs each is told."),
  on: z
    .array(notifyEvent)
    .min(1)
    .describe(
      "What is told of; default: held, reverted, failed, overdue. pass: after each pass, as a sign of life.",
    )
    .optional(),
  format: z
    .enum(["json", "slack"])
    .describe("Default: slack where the URL is an incoming webhook of Slack, else json.")
    .optional(),
  secret: secretSource
    .describe("Signs each request as Standard Webhooks says: base64, with or without whsec_ before it.")
    .optional(),
});
export type NotifyPolicy = z.output<typeof notify>;

export const keySchema = z.strictObject({
  name: name.describe("Names the key everywhere; consumers give it in their answers."),
  formerly: z.array(name).default([]).describe("Earlier names, after a rename."),
  provider: z.string().describe("A name under providers."),
  schedule,
  timezone: z.string().default("Etc/UTC").describe("Time zone of schedule and windows, like Europe/Berlin."),
  spread: duration.prefault("0s").describe("Jitter added to each due instant."),
  renewBefore: duration
    .describe("Due this long before the key expires; default a third of its life.")
    .optional(),
  retry: z
    .strictObject({
      after: duration.prefault("1h").describe("The first pause."),
      max: duration.prefault("24h").describe("The longest pause."),
    })
    .prefault({})
    .describe("Pause after a failed or reverted rotation: after, doubling up to max."),
  suspend: z.boolean().default(false).describe("true leaves this key alone."),
  windows: z
    .array(windowPolicy)
    .default([])
    .describe("When nothing may be started, disabled or deleted (deny), or only then (allow)."),
  settings: settings
    .default({})
    .describe("What each replacement is created with; what is absent is inherited from the key it replaces."),
  settingsDrift: z
    .enum(["report", "apply"])
    .default("report")
    .describe("apply: change a key whose settings differ from the policy."),
  store: storeRef.describe("Where the key is kept."),
  consumers: z
    .union([z.literal("none"), z.array(consumerSchema).min(1)])
    .describe("Every service that uses the key, each with its probe; or none.")
    .meta({
      accepts:
        "a list of the services that use the key, each with a name and a probe; or `none` together with a retire.after longer than 0s",
    }),
  confirm: z
    .strictObject({
      timeout: duration.prefault("1h").describe("How long consumers have to confirm."),
      interval: duration.prefault("5s").describe("Longest pause between two sweeps."),
      successThreshold: z.int().min(1).max(100).default(3).describe("Sweeps in a row that must all confirm."),
      onTimeout: z
        .enum(["hold", "rollback"])
        .default("hold")
        .describe("hold: wait for a person. rollback: put the old key back."),
    })
    .prefault({})
    .describe("How consumers prove that they use the new key."),
  retire: z
    .strictObject({
      after: duration.prefault("0s").describe("How long both keys live on after confirmation."),
      requireQuiet: z.boolean().default(false).describe("The old key's usage must not rise any more."),
      watch: duration.prefault("1m").describe("How long consumers are watched with the old key disabled."),
      keepDisabledFor: duration.prefault("0s").describe("Soak between disabling and deleting."),
    })
    .prefault({})
    .describe("How the old key goes."),
  notify: z.array(notify).default([]).describe("Who is told about what."),
  adopt: z
    .strictObject({
      hash: z.string().min(1).describe("As `rotate keys list` and the provider's dashboard show it."),
    })
    .describe("Hash of a current value that cannot be proved otherwise.")
    .optional(),
});
/** One key of the policy, defaults merged in, durations in milliseconds. */
export type KeyPolicy = z.output<typeof keySchema>;

const provider = z.strictObject({
  type: z.enum(["openrouter", "arouter"]).describe("Whose API it speaks."),
  managementKey: secretSource.describe(
    "The credential for the key endpoints: { env: NAME } or { file: PATH }.",
  ),
  baseUrl: url
    .describe("Default: the provider's own, https://openrouter.ai/api/v1 or https://api.arouter.ai/api/v1.")
    .optional(),
  headers: z.record(z.string(), z.string()).default({}).describe("Extra headers of every request."),
  rateLimit: z
    .strictObject({
      requestsPerSecond: z
        .number()
        .positive()
        .default(10)
        .describe("For all keys of this provider together."),
      concurrency: z.int().min(1).default(8).describe("Requests under way at a time."),
    })
    .prefault({})
    .describe("How hard the provider's key endpoints may be called."),
});
export type ProviderPolicy = z.output<typeof provider>;

const mode = z
  .string()
  .regex(/^0?[0-7]{3}$/)
  .meta({ accepts: 'a file mode like "0600", in quotes' });
const fileStore = z.strictObject({
  type: z.literal("file").describe("Files in a directory of this machine."),
  path: path.describe("Directory; a relative one starts at the policy's folder."),
  mode: mode.default("0600").describe("Mode of the files that consumers read."),
  dirMode: mode.default("0700").describe("Mode of the directories."),
});
const awsStore = z.strictObject({
  type: z.literal("aws-secrets-manager").describe("Secrets in AWS Secrets Manager."),
  region: z
    .string()
    .regex(/^[a-z]{2,}(-[a-z]+)+-\d+$/)
    .meta({ accepts: "an AWS region like eu-west-1" })
    .describe("Default: as the AWS SDK finds it (AWS_REGION, the profile).")
    .optional(),
  endpoint: url.describe("In place of the region's own, for example of a VPC endpoint.").optional(),
  profile: z
    .string()
    .min(1)
    .describe("Profile of the shared AWS configuration files; credentials are never written here.")
    .optional(),
  kmsKeyId: z
    .string()
    .min(1)
    .max(2048)
    .describe("KMS key of secrets that are created: ARN, id or alias.")
    .optional(),
  tags: z
    .record(
      z
        .string()
        .regex(/^(?!aws:|keyturn:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u)
        .meta({
          accepts:
            "a tag name of at most 128 letters, digits, spaces and _.:/=+-@, without aws: or keyturn: in front",
        }),
      z
        .string()
        .max(256)
        .regex(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u)
        .meta({ accepts: "text of at most 256 letters, digits, spaces and _.:/=+-@" }),
    )
    .describe("Tags of secrets that are created.")
    .optional(),
  description: z.string().max(2048).describe("Description of secrets that are created.").optional(),
});
export type AwsStorePolicy = z.output<typeof awsStore>;
const kubernetesStore = z.strictObject({
  type: z.literal("kubernetes").describe("Secrets of a namespace."),
  namespace: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
    .max(63)
    .describe("The namespace of the Secrets.")
    .meta({ accepts: "a Kubernetes namespace like shop" }),
  context: z
    .string()
    .min(1)
    .describe(
      "Context of the kubeconfig; default: the cluster that keyturn runs in, else the current context.",
    )
    .optional(),
});
export type KubernetesStorePolicy = z.output<typeof kubernetesStore>;
const store = z.discriminatedUnion("type", [fileStore, awsStore, kubernetesStore]);
export type StorePolicy = z.output<typeof store>;

const sqliteJournal = z.strictObject({
  type: z.literal("sqlite").describe("A file, for workers on one machine."),
  path: path.describe("On a local disk; a relative one starts at the policy's folder."),
});
const kubernetesJournal = z.strictObject({
  type: z.literal("kubernetes").describe("ConfigMaps and Leases, for workers on any node."),
  namespace: kubernetesStore.shape.namespace.describe("The namespace of the ConfigMaps and Leases."),
  name: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
    .max(63)
    .default("keyturn")
    .describe("Name of its ConfigMap; the others begin with it.")
    .meta({ accepts: "a name of lower-case letters, digits and hyphens like keyturn" }),
  context: kubernetesStore.shape.context,
});
const journal = z.discriminatedUnion("type", [sqliteJournal, kubernetesJournal]);
export type JournalPolicy = z.output<typeof journal>;

const server = z.strictObject({
  address: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .describe("0.0.0.0 in a container, so that the kubelet reaches it.")
    .meta({ accepts: "an address of this machine like 127.0.0.1 or 0.0.0.0" }),
  port: z
    .int()
    .min(0)
    .max(65_535)
    .default(8080)
    .describe("0 takes a free one.")
    .meta({ accepts: "a port from 0 to 65535" }),
  token: secretSource
    .describe(
      "Who brings it, 16 characters or more, sees the status page from elsewhere too; on this machine it is not asked for.",
    )
    .optional(),
});
export type ServerPolicy = z.output<typeof server>;

export const policySchema = z.strictObject({
  version: z.literal(1).describe("Of this format."),
  installation: name
    .default("default")
    .describe(
      "Name of this deployment; it stands in the names of issued keys and is stamped beside the secrets.",
    ),
  providers: z.record(name, provider).describe("Who issues keys, by names of your choice."),
  stores: z.record(name, store).describe("Where keys are kept, by names of your choice."),
  journal: journal
    .default({ type: "sqlite", path: "./.keyturn/journal.db" })
    .describe("The worker's durable memory. It never holds a key."),
  server: server
    .describe(
      "Where `rotate worker` answers /healthz, /readyz and /metrics and shows the status page; nowhere when left out.",
    )
    .optional(),
  keys: z
    .array(keySchema)
    .min(1)
    .describe("The credentials that are kept fresh.")
    .meta({ accepts: "a list of keys" }),
});

/** A valid policy. Paths are absolute, `${NAME}` is filled in, defaults are merged into each key. */
export type Policy = z.output<typeof policySchema>;

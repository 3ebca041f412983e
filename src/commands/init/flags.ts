import { InvalidArgumentError, Option } from "commander";
import {
  type ConsumerDraft,
  type Draft,
  PROVIDERS,
  type ProviderType,
  STORES,
  type StoreType,
} from "./draft.ts";

/** The options of `rotate init` that say what the policy is to say. */
export interface PolicyFlags {
  provider?: ProviderType;
  managementKeyEnv?: string;
  managementKeyFile?: string;
  workspace?: string[];
  key?: string;
  adopt?: string;
  schedule?: string;
  timezone?: string;
  store?: StoreType;
  storePath?: string;
  region?: string;
  namespace?: string;
  context?: string;
  secret?: string;
  /** False: no field, the secret is the key alone. */
  field?: string | false;
  create?: boolean;
  consumer?: ConsumerDraft[];
  retireAfter?: string;
  notifyEnv?: string;
  offline?: boolean;
}

/** The options that `rotate init` takes beside those for Kubernetes. */
export function policyOptions(): Option[] {
  return [
    new Option("--provider <type>", "who issues the key (default: openrouter)").choices(PROVIDERS),
    new Option(
      "--management-key-env <name>",
      "environment variable that holds the management key (default: OPENROUTER_MANAGEMENT_KEY or AROUTER_MANAGEMENT_KEY)",
    ).conflicts("managementKeyFile"),
    new Option("--management-key-file <file>", "file that holds it, as the policy is to name it"),
    new Option(
      "--workspace <id>",
      "OpenRouter: the workspace of the key, besides the default one; may be repeated",
    ).argParser((id: string, before: string[] = []) => [...before, id]),
    new Option("--key <name>", "name of the key in the policy (default: that of the key adopted)"),
    new Option(
      "--adopt <hash>",
      "the key that is in use now: its hash, or the first 8 characters of it or more; its settings are looked up",
    ),
    new Option("--schedule <when>", "cron of five fields, a duration, or none (default: 30d)"),
    new Option("--timezone <name>", "time zone of a cron schedule (default: Etc/UTC)"),
    new Option("--store <type>", "where the key is kept (default: file)").choices(STORES),
    new Option("--store-path <dir>", "folder of the file store (default: ./.keyturn/secrets)"),
    new Option("--region <region>", "AWS region (default: as the AWS SDK finds it)"),
    new Option("--secret <id>", "the secret in the store (default: the key's name)"),
    new Option(
      "--field <name>",
      "the field or entry in it that is the key (default: OPENROUTER_API_KEY or AROUTER_API_KEY)",
    ),
    new Option("--no-field", "the secret is the key alone"),
    new Option("--create", "the secret may be made where it is not there (default for files)"),
    new Option(
      "--consumer <name=probe>",
      "a service that uses the key: NAME=URL, NAME=deployment/NAME or NAME=exec:COMMAND; may be repeated",
    ).argParser((text: string, before: ConsumerDraft[] = []) => withConsumer(before, text)),
    new Option(
      "--retire-after <duration>",
      "how long both keys live after confirmation (default: 10m); needed without --consumer",
    ),
    new Option("--notify-env <name>", "environment variable that holds the URL of a webhook"),
    new Option("--offline", "ask the provider nothing, even where the management key is at hand"),
  ];
}

const NAME_AND_PROBE = /^([^=]+)=(.+)$/s;

/** One more consumer; a name that was given before has one more instance. */
function withConsumer(before: readonly ConsumerDraft[], text: string): ConsumerDraft[] {
  const [, name = "", how = ""] = NAME_AND_PROBE.exec(text) ?? [];
  if (name === "")
    throw new InvalidArgumentError("Give NAME=URL, NAME=deployment/NAME or NAME=exec:COMMAND.");
  const probe = probeOf(how);
  const earlier = before.find((one) => one.name === name);
  if (!earlier) return [...before, { name, probe }];
  if (!("urls" in earlier.probe && "urls" in probe))
    throw new InvalidArgumentError(`Only a service with URLs has several: ${name} is there already.`);
  const joined = { name, probe: { urls: [...earlier.probe.urls, ...probe.urls] } };
  return before.map((one) => (one === earlier ? joined : one));
}

const WORKLOAD = /^(deployment|statefulset|daemonset)\//;

/** What follows `NAME=`. A command that is told nothing of the new key is told its fingerprint. */
export function probeOf(text: string): ConsumerDraft["probe"] {
  if (WORKLOAD.test(text)) return { rollout: text };
  if (!text.startsWith("exec:")) return { urls: [text] };
  const words = text.slice("exec:".length).trim().split(/\s+/);
  const told = /\{(fingerprint|hash|label|version)\}/.test(words.slice(1).join(" "));
  return { exec: told ? words : [...words, "{fingerprint}"] };
}

/** What was said, without what was not. */
export function givenBy(flags: PolicyFlags): Partial<Draft> {
  const { managementKeyEnv, managementKeyFile, field, adopt } = flags;
  const given: { [K in keyof Draft]?: Draft[K] | undefined } = {
    provider: flags.provider,
    managementKey:
      managementKeyFile !== undefined
        ? { file: managementKeyFile }
        : managementKeyEnv !== undefined
          ? { env: managementKeyEnv }
          : undefined,
    workspaces: flags.workspace,
    key: flags.key,
    adopt: adopt === undefined ? undefined : { hash: adopt },
    schedule: flags.schedule,
    timezone: flags.timezone,
    store: flags.store,
    storePath: flags.storePath,
    region: flags.region,
    namespace: flags.namespace,
    context: flags.context,
    secret: flags.secret,
    create: flags.create,
    consumers: flags.consumer,
    retireAfter: flags.retireAfter,
    notifyEnv: flags.notifyEnv,
  };
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return field === undefined ? said : { ...said, field: field === false ? undefined : field };
}

/** What nothing can stand in for, each as it would be said. */
export function missingIn(given: Partial<Draft>): string[] {
  return [
    ...(given.key === undefined ? ["--key NAME: what the policy calls the key"] : []),
    ...(given.consumers === undefined && given.retireAfter === undefined
      ? [
          "--consumer NAME=URL: each service that uses the key; or --retire-after DURATION, where nobody can be asked",
        ]
      : []),
    ...(given.store === "kubernetes" && given.namespace === undefined
      ? ["--namespace NAME: the namespace of the Secret"]
      : []),
  ];
}

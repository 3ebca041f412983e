import { CONFIG_MAPS, SECRETS } from "../../src/kubernetes/api.ts";
import { RotationError } from "../../src/lib/errors.ts";
import type { Secret } from "../../src/lib/secret.ts";
import { arouterApi, arouterModel } from "../../src/sandbox/arouter-api.ts";
import type { Handler } from "../../src/sandbox/fault-answers.ts";
import { Faults } from "../../src/sandbox/faults.ts";
import { openRouterApi } from "../../src/sandbox/openrouter-api.ts";
import { ProviderModel } from "../../src/sandbox/provider-model.ts";
import type { MemorySecret } from "../../src/stores/memory.ts";
import { SecretsManagerModel } from "../aws/model.ts";
import { ServiceModel } from "../rotation/service-model.ts";
import { type Chance, chance } from "./chance.ts";
import { Cluster } from "./cluster.ts";
import { CommitReader, inCluster, type JournalHome, onDisk } from "./journals.ts";
import { Observer } from "./observer.ts";
import type { KeyPlan, Plan } from "./plan.ts";
import type { SimProcess } from "./process.ts";
import { Timeline } from "./timeline.ts";
import { Trace } from "./trace.ts";
import { Weather } from "./weather.ts";

/** Where one key of the policy lives, and who uses it. */
export interface Place {
  key: string;
  store: "local" | "aws" | "cluster";
  secret: string;
  field: string | undefined;
  services: ServiceModel[];
}

/** Calls that no story is told of, unless they fail. */
const QUIET = new Set(
  ["read", "history", "all", "acquire", "release", "close"].map((method) => `journal.${method}`),
);

/** Calls that change nothing which consumers or people see. */
const UNSEEN = /^(journal\.|cluster GET|cluster [A-Z]+ (configmaps|leases|events))/;

/** Calls of all processes within so long that only a loop without a pause can make, in milliseconds. */
const BURST_MS = 10_000;
const MOST_IN_A_BURST = 5_000;

/** What happens once so many more calls have been made by anyone. */
interface Armed {
  left: number;
  act: (caller: SimProcess) => void;
}

/** A disk whose writes a dying process can leave half done: the record is new, what consumers read is not. */
class Disk extends Map<string, MemorySecret> {
  torn: () => boolean = () => false;

  override set(name: string, entry: MemorySecret): this {
    const before = this.get(name);
    const half = this.torn() && entry.record !== before?.record;
    if (!half) return super.set(name, entry);
    return super.set(name, {
      ...(entry.record ? { record: entry.record } : {}),
      ...(before?.text === undefined ? {} : { text: before.text }),
    });
  }
}

/** Everything outside the processes of keyturn: provider, stores, journals, services, people, time. */
export class World {
  readonly plan: Plan;
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly trace: Trace;
  readonly provider: ProviderModel;
  faults = new Faults();
  readonly disk = new Disk();
  readonly aws: SecretsManagerModel;
  readonly cluster: Cluster;
  readonly commits: CommitReader;
  readonly weather: Weather;
  readonly places: Place[];
  readonly processes = new Set<SimProcess>();
  readonly observer: Observer;
  /** By installation. */
  readonly journals = new Map<string, JournalHome>();
  /** What the policy says of each key, by the key's present name; people edit it. */
  readonly policyKeys: Map<string, Record<string, unknown>>;
  /** Keys that people have taken out of the policy for a while. */
  readonly removed = new Map<string, Record<string, unknown>>();
  /** No more troubles. */
  calm = false;
  readonly logged: string[] = [];
  readonly counts = new Map<string, number>();
  /** The one that processes find where the policy says. */
  managementKey: Secret;
  readonly rightManagementKey: Secret;
  readonly #handler: Handler;
  #armed: Armed[] = [];
  #awaited: { site: RegExp; act: Armed["act"] }[] = [];
  #burst = { since: 0, calls: 0 };
  /** Whose call is being carried out now. */
  #caller: SimProcess | undefined;

  constructor(plan: Plan, options: { story: boolean }) {
    this.plan = plan;
    this.timeline = new Timeline(plan.startAt);
    this.chance = chance(plan.seed ^ 0x5eed);
    this.trace = new Trace({ now: () => this.timeline.now(), keep: options.story });
    const parts = { clock: this.timeline, random: this.chance.fork() };
    this.provider = plan.provider === "arouter" ? arouterModel(parts) : new ProviderModel(parts);
    this.#handler = (request) =>
      (plan.provider === "arouter" ? arouterApi : openRouterApi)(this.provider, this.faults)(request);
    this.rightManagementKey = this.provider.addManagementKey();
    this.managementKey = this.rightManagementKey;
    this.aws = new SecretsManagerModel({ clock: this.timeline });
    this.cluster = new Cluster(this.timeline);
    this.commits = new CommitReader(this.cluster);
    this.cluster.watcher = (process, resource, name) => {
      if (resource === SECRETS.plural) this.observer.look(process);
      if (resource !== CONFIG_MAPS.plural) return;
      const commit = this.commits.read(name);
      if (commit) this.observer.committed(process, commit);
    };
    this.weather = new Weather(this.timeline);
    this.disk.torn = () => this.#caller?.tearing === true;
    this.places = plan.keys.map((key) => this.#place(key));
    this.policyKeys = new Map(plan.keys.map(({ policy }) => [String(policy.name), policy]));
    this.observer = new Observer(this);
    for (const [index, place] of this.places.entries()) this.#furnish(place, plan.keys[index] as KeyPlan);
    for (let index = 0; index < plan.bystanders; index += 1) this.bystander(`somebody else's ${index}`);
  }

  journal(installation: string): JournalHome {
    const make = () =>
      this.plan.journal === "cluster" ? inCluster(this.cluster, installation) : onDisk(this.chance);
    const found = this.journals.get(installation) ?? make();
    this.journals.set(installation, found);
    return found;
  }

  /** One HTTP request to the provider, as it arrives there. */
  handle(request: Request): Promise<Response> {
    if (this.weather.providerDown) return Promise.resolve(Response.error());
    return this.#handler(request);
  }

  /** A key that somebody makes by hand at the provider's site. */
  bystander(name: string): string {
    const { key, issued } = this.provider.create({ name, limit: 150, limitReset: "monthly" });
    this.observer.madeByHand(issued.hash);
    return key.reveal();
  }

  /** What consumers read at a place now. */
  value(place: Place): string | undefined {
    return valueIn(this.text(place), place.field);
  }

  /** The whole secret. */
  text({ store, secret }: Place): string | undefined {
    if (store === "cluster") return this.cluster.text(secret);
    return store === "aws" ? this.aws.current(secret) : this.disk.get(secret)?.text;
  }

  /** A person writes a field of the secret, or all of it; the other fields are kept. */
  write(place: Place, field: string | undefined, value: string): void {
    let text = value;
    if (field !== undefined) {
      const before: unknown = JSON.parse(this.text(place) ?? "{}");
      text = JSON.stringify({ ...(before as object), [field]: value });
    }
    if (place.store === "local") this.disk.set(place.secret, { ...this.disk.get(place.secret), text });
    else if (place.store === "cluster") this.cluster.write(place.secret, text);
    else this.#writeAws(place.secret, text);
    this.observer.look(undefined);
  }

  /** What a person does in the console, whatever troubles keyturn has. */
  awsByHand(action: string, input: Record<string, unknown>): void {
    const { denied, throttle } = this.aws.knobs;
    Object.assign(this.aws.knobs, { denied: new Set(), throttle: 0 });
    this.aws.perform(action, input);
    Object.assign(this.aws.knobs, { denied, throttle });
  }

  /** Runs an act after so many more calls of anyone; at once for none. */
  arm(calls: number, act: Armed["act"]): void {
    this.#armed.push({ left: calls, act });
  }

  /** Runs an act before the next call of a site like that. */
  await(site: RegExp, act: Armed["act"]): void {
    this.#awaited.push({ site, act });
  }

  beforeCall(process: SimProcess, site: string): void {
    const at = this.#awaited.findIndex((one) => one.site.test(site));
    if (at >= 0) for (const { act } of this.#awaited.splice(at, 1)) act(process);
    for (const armed of this.#armed) armed.left -= 1;
    const due = this.#armed.filter(({ left }) => left <= 0);
    if (due.length === 0) return;
    this.#armed = this.#armed.filter(({ left }) => left > 0);
    for (const { act } of due) act(process);
  }

  /** Nobody makes thousands of calls within an instant. */
  #notTooMany(): void {
    const now = this.timeline.now();
    this.#burst = now - this.#burst.since < BURST_MS ? this.#burst : { since: now, calls: 0 };
    this.#burst.calls += 1;
    if (this.#burst.calls < MOST_IN_A_BURST) return;
    if (this.#burst.calls === MOST_IN_A_BURST)
      this.observer.violated(8, `${MOST_IN_A_BURST} calls within ${BURST_MS / 1000} seconds`);
    for (const process of this.processes) process.kill();
  }

  disarm(): void {
    this.#armed = [];
    this.#awaited = [];
  }

  /** Carries out what changes the world within one turn, on behalf of a process. */
  as<T>(process: SimProcess, perform: () => T): T {
    this.#caller = process;
    try {
      return perform();
    } finally {
      this.#caller = undefined;
    }
  }

  afterCall(process: SimProcess, site: string, error: unknown): void {
    this.count("calls");
    this.#notTooMany();
    if (error !== undefined || !(QUIET.has(site) || /^cluster .* (configmaps|leases|events)/.test(site)))
      this.trace.write(process.name, `${site}${error === undefined ? "" : ` fails: ${said(error)}`}`);
    if (!UNSEEN.test(site)) this.observer.look(process);
  }

  count(what: string, more = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + more);
  }

  #place({ policy, services }: KeyPlan): Place {
    const { use, secret, field } = policy.store as { use: Place["store"]; secret: string; field?: string };
    const place: Place = { key: String(policy.name), store: use, secret, field, services: [] };
    place.services = services.map(({ name, instances, applyDelay, onReload }) => {
      const made = new ServiceModel({
        name,
        clock: this.timeline,
        instances,
        applyDelay,
        key: place.key,
        read: () => this.value(place),
      });
      made.onReload = onReload;
      return made;
    });
    return place;
  }

  /** The secret as it is before keyturn comes, with a field that is nobody's business here. */
  #furnish(place: Place, { existing }: KeyPlan): void {
    if (place.field !== undefined && (existing || place.store === "aws")) this.write(place, "OTHER", "kept");
    if (existing) this.write(place, place.field, this.bystander("made by hand"));
    for (const service of place.services) service.settle();
  }

  #writeAws(secret: string, SecretString: string): void {
    const state = this.aws.secret(secret);
    const ClientRequestToken = `person-${Buffer.from(this.chance.bytes(16)).toString("hex")}`;
    if (state?.deletionAt !== undefined) return;
    if (state === undefined)
      this.awsByHand("CreateSecret", { Name: secret, ClientRequestToken, SecretString });
    else this.awsByHand("PutSecretValue", { SecretId: secret, ClientRequestToken, SecretString });
  }
}

export function valueIn(text: string | undefined, field: string | undefined): string | undefined {
  if (text === undefined || field === undefined) return text;
  try {
    const value = (JSON.parse(text) as Record<string, unknown>)[field];
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

function said(error: unknown): string {
  return error instanceof RotationError ? `${error.code}: ${error.message}` : String(error);
}

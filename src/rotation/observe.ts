import type { PolicySnapshot, TargetDocument } from "../journal/document.ts";
import { asRotationError, isWeather, RotationError } from "../lib/errors.ts";
import type { Provider } from "../providers/provider.ts";
import type { SecretRef, Store } from "../stores/store.ts";
import { addSweeps, countSweep, freshEvidence, unlessRefuted } from "./evidence.ts";
import { keptValue } from "./kept-value.ts";
import type { Parts } from "./parts.ts";
import type { Look } from "./step.ts";
import { type Asked, type Evidence, expectedBy, type Fact, questionKey, type World } from "./world.ts";

/** The facts of one pass over one target. They live no longer than the pass: evidence is fresh or it is none (R3). */
export class Facts {
  store: Record<string, Fact<World["store"][string]["value"]>> = {};
  issued: Record<string, World["issued"][string]> = {};
  accepted: Record<string, Fact<boolean | undefined>> = {};
  attachments: Record<string, World["attachments"][string]> = {};
  listed: Record<string, World["listed"][string]> = {};
  evidence: Record<string, Evidence> = {};
  skewMs: Record<string, number | undefined> = {};
  heard: Record<string, number> = {};
  /** Stores that were looked into, with the place. */
  private readonly looked = new Map<string, { store: Store; ref: SecretRef }>();
  /** When the latest look began. */
  latest = Number.NEGATIVE_INFINITY;
  /** See {@link World.asked}. */
  readonly asked: Map<string, Asked>;

  constructor(asked: Map<string, Asked> = new Map()) {
    this.asked = asked;
  }

  /** A clock that went back has made the age of every fact unknown (R15). */
  forgetAll(): void {
    this.forgetStore();
    this.forgetProvider();
    this.issued = {};
    this.accepted = {};
    this.attachments = {};
    this.evidence = {};
    this.heard = {};
    this.latest = Number.NEGATIVE_INFINITY;
  }

  /** What of them `decide` judges. */
  known(): Pick<
    World,
    "store" | "issued" | "accepted" | "attachments" | "listed" | "evidence" | "asked" | "skewMs" | "heard"
  > {
    const { store, issued, accepted, attachments, listed, evidence, asked, skewMs, heard } = this;
    return { store, issued, accepted, attachments, listed, evidence, asked, skewMs, heard };
  }

  lookedInto(store: Store, ref: SecretRef): void {
    this.looked.set(`${store.name} ${ref.secret}`, { store, ref });
  }

  /** The pass has ended: nothing stays under way for it, and no plaintext in memory. */
  async letGo(): Promise<void> {
    await Promise.all([...this.looked.values()].map(({ store, ref }) => store.letGo?.(ref)));
  }

  forgetStore(): void {
    this.store = {};
  }

  /** A version that was dropped stands in no view any more. */
  dropped(version: string): void {
    const stays = (other: { version: string }) => other.version !== version;
    for (const fact of Object.values(this.store)) {
      const { staged, retained } = fact.value;
      fact.value = {
        ...fact.value,
        staged: staged.filter(stays),
        ...(retained && { retained: retained.filter(stays) }),
      };
    }
  }

  forgetProvider(hash?: string): void {
    this.listed = {};
    if (hash === undefined) return;
    delete this.issued[hash];
    delete this.accepted[hash];
    delete this.attachments[hash];
  }
}

/** The snapshot under which a field is looked at: the open rotation's, else the present policy's, else its last. */
export function snapshotInForce(
  document: TargetDocument,
  policies: Readonly<Record<string, PolicySnapshot>>,
  field: string,
): PolicySnapshot {
  const open = document.rotation?.field === field ? document.rotation.policy : undefined;
  const snapshot = open ?? policies[field] ?? document.keys[field]?.policy;
  if (snapshot === undefined)
    throw new RotationError("internal", "a key is neither in the policy nor in the journal");
  return snapshot;
}

/** Carries out one look, which begins at `at`, and keeps what it finds. Throws RotationError when it could not be read. */
export async function observe(
  parts: Parts,
  world: World,
  facts: Facts,
  look: Look,
  at: number,
  signal?: AbortSignal,
): Promise<void> {
  const { document } = world;
  const snapshot = snapshotInForce(document, world.policies, look.field);
  facts.latest = Math.max(facts.latest, at);
  switch (look.look) {
    case "store": {
      const value = await storeOf(parts, snapshot, facts).observe(snapshot.key.store);
      facts.store[look.field] = { value, at };
      return;
    }
    case "sweep": {
      const { question } = look;
      const expected = expectedBy(question, document.issued[question.hash], document.rotation);
      const probes = parts.connect.probes(snapshot);
      const sweeps = await Promise.all(probes.map((probe) => probe.sweep(expected, signal)));
      const key = questionKey(question.field, question.wanted, question.outgoing);
      const before = freshEvidence(facts.evidence[key], question.policy, at);
      for (const [other, evidence] of Object.entries(facts.evidence))
        facts.evidence[other] = unlessRefuted(evidence, question, sweeps);
      facts.evidence[key] = addSweeps(before, question, sweeps, at);
      countSweep(facts.asked, key, question.policy, at);
      return;
    }
    default:
      await observeProvider(parts, document, snapshot, facts, look, at);
  }
}

type ProviderLook = Exclude<Look, { look: "store" | "sweep" }>;

async function observeProvider(
  parts: Parts,
  document: TargetDocument,
  snapshot: PolicySnapshot,
  facts: Facts,
  look: ProviderLook,
  at: number,
): Promise<void> {
  const provider = parts.connect.provider(snapshot);
  try {
    switch (look.look) {
      case "issued":
        facts.issued[look.hash] = { value: await provider.get(look.hash), at };
        break;
      case "accepted": {
        const value = await accepted(parts, document, snapshot, look.hash, facts);
        facts.accepted[look.hash] = { value, at };
        // Without a plaintext nothing was asked.
        if (value === undefined) return;
        break;
      }
      case "list": {
        const value = await provider.list(namedWorkspaces(document, snapshot));
        facts.listed[provider.name] = { value, at };
        break;
      }
      case "attachments":
        facts.attachments[look.hash] = { value: await attachmentsOf(provider, look.hash), at };
        break;
    }
    facts.heard[provider.name] = at;
  } finally {
    facts.skewMs[provider.name] = provider.skewMs();
  }
}

/** What cannot be read is said, and is no failure of the look; weather is. */
async function attachmentsOf(
  provider: Provider,
  hash: string,
): Promise<World["attachments"][string]["value"]> {
  try {
    return (await provider.attachments?.read(hash)) ?? [];
  } catch (thrown) {
    const error = asRotationError(thrown);
    if (isWeather(error)) throw error;
    return { unknown: error.message };
  }
}

/** Tries a key with its own plaintext, as the store keeps it; undefined when it keeps it no more. */
async function accepted(
  parts: Parts,
  document: TargetDocument,
  snapshot: PolicySnapshot,
  hash: string,
  facts: Facts,
): Promise<boolean | undefined> {
  const store = storeOf(parts, snapshot, facts);
  const value = await keptValue(store, snapshot.key.store, document.issued[hash]);
  if (value === undefined) return undefined;
  return (await parts.connect.provider(snapshot).current(value)).accepted;
}

function storeOf(parts: Parts, snapshot: PolicySnapshot, facts: Facts): Store {
  const store = parts.connect.store(snapshot);
  facts.lookedInto(store, snapshot.key.store);
  return store;
}

/** Every workspace in which a key of ours may be: the policy's and those of earlier intents. */
export function namedWorkspaces(document: TargetDocument, snapshot: PolicySnapshot): string[] {
  const named = [
    snapshot.key.settings.workspaceId,
    ...Object.values(document.intents).map((intent) => intent.workspace),
  ];
  return [...new Set(named.filter((name) => name !== undefined))];
}

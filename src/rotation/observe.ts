import type { PolicySnapshot, TargetDocument } from "../journal/document.ts";
import { RotationError } from "../lib/errors.ts";
import type { SecretRef, Store } from "../stores/store.ts";
import { addSweeps, freshEvidence, unlessRefuted } from "./evidence.ts";
import type { Parts } from "./parts.ts";
import type { Look } from "./step.ts";
import { type Evidence, expectedBy, type Fact, questionKey, type World } from "./world.ts";

/** The facts of one pass over one target. They live no longer than the pass: evidence is fresh or it is none (R3). */
export class Facts {
  store: Record<string, Fact<World["store"][string]["value"]>> = {};
  issued: Record<string, World["issued"][string]> = {};
  accepted: Record<string, Fact<boolean | undefined>> = {};
  listed: Record<string, World["listed"][string]> = {};
  evidence: Record<string, Evidence> = {};
  skewMs: Record<string, number | undefined> = {};
  /** Stores that were looked into, with the place. */
  private readonly looked = new Map<string, { store: Store; ref: SecretRef }>();
  /** When the latest look began. */
  latest = Number.NEGATIVE_INFINITY;

  /** A clock that went back has made the age of every fact unknown (R15). */
  forgetAll(): void {
    this.forgetStore();
    this.forgetProvider();
    this.issued = {};
    this.accepted = {};
    this.evidence = {};
    this.latest = Number.NEGATIVE_INFINITY;
  }

  lookedInto(store: Store, ref: SecretRef): void {
    this.looked.set(`${store.name} ${ref.secret}`, { store, ref });
  }

  /** The pass has ended: no plaintext stays in memory for it. */
  letGo(): void {
    for (const { store, ref } of this.looked.values()) store.letGo?.(ref);
  }

  forgetStore(): void {
    this.store = {};
  }

  forgetProvider(hash?: string): void {
    this.listed = {};
    if (hash === undefined) return;
    delete this.issued[hash];
    delete this.accepted[hash];
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

/** Carries out one look and keeps what it finds. Throws RotationError when it could not be read. */
export async function observe(
  parts: Parts,
  world: World,
  facts: Facts,
  look: Look,
  signal?: AbortSignal,
): Promise<void> {
  const { document } = world;
  const snapshot = snapshotInForce(document, world.policies, look.field);
  const provider = parts.connect.provider(snapshot);
  const providerName = snapshot.key.provider;
  const at = parts.clock.now();
  facts.latest = Math.max(facts.latest, at);
  try {
    switch (look.look) {
      case "store":
        facts.store[look.field] = {
          value: await storeOf(parts, snapshot, facts).observe(snapshot.key.store),
          at,
        };
        return;
      case "issued":
        facts.issued[look.hash] = { value: await provider.get(look.hash), at };
        return;
      case "accepted":
        facts.accepted[look.hash] = {
          value: await accepted(parts, document, snapshot, look.hash, facts),
          at,
        };
        return;
      case "list":
        facts.listed[providerName] = { value: await provider.list(workspaces(document, snapshot)), at };
        return;
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
        return;
      }
    }
  } finally {
    facts.skewMs[providerName] = provider.skewMs();
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
  const version = document.issued[hash]?.version;
  if (version === undefined) return undefined;
  const value = await storeOf(parts, snapshot, facts).read(snapshot.key.store, version);
  if (value === undefined) return undefined;
  return (await parts.connect.provider(snapshot).current(value)).accepted;
}

function storeOf(parts: Parts, snapshot: PolicySnapshot, facts: Facts): Store {
  const store = parts.connect.store(snapshot);
  facts.lookedInto(store, snapshot.key.store);
  return store;
}

/** Every workspace in which a key of ours may be: the policy's and those of earlier intents. */
function workspaces(document: TargetDocument, snapshot: PolicySnapshot): string[] {
  const named = [
    snapshot.key.settings.workspaceId,
    ...Object.values(document.intents).map((intent) => intent.workspace),
  ];
  return [...new Set(named.filter((name) => name !== undefined))];
}

import type { NewEvent, PolicySnapshot, TargetDocument } from "../../journal/document.ts";
import type { Lease } from "../../journal/journal.ts";
import { jsonCopy } from "../../lib/json-copy.ts";
import type { Provider } from "../../providers/provider.ts";
import type { SecretView, Store } from "../../stores/store.ts";
import { noticesOf } from "../notices.ts";
import type { Facts } from "../observe.ts";
import { snapshotInForce } from "../observe.ts";
import type { Parts } from "../parts.ts";
import type { Note } from "../step.ts";
import { JUST_NOW_MS } from "../timing.ts";
import type { World } from "../world.ts";
import { applyNote } from "./notes.ts";

/** How long a lease lasts without being renewed, in milliseconds. */
export const LEASE_MS = 60_000;

/** The process slept between judging and acting: nothing was done, and everything is looked at again. */
export class Overslept extends Error {}

/** How long after it was decided upon a key may still be disabled or deleted, in milliseconds (R3). */
const ACT_WITHIN_MS = 15_000;

/** What an effect works with: the clients of its key, and the one way to write the journal. */
export class StepContext {
  readonly parts: Parts;
  readonly lease: Lease;
  readonly facts: Facts;
  readonly world: World;
  readonly reason: string;
  readonly says: string;
  /** Who asked for a step that is part of no rotation. */
  readonly operator: string | undefined;
  /** The document as last committed by this step. */
  document: TargetDocument;

  constructor(
    parts: Parts,
    lease: Lease,
    facts: Facts,
    world: World,
    step: { reason: string; says: string; operator?: string },
  ) {
    this.parts = parts;
    this.lease = lease;
    this.facts = facts;
    this.world = world;
    this.reason = step.reason;
    this.says = step.says;
    this.operator = step.operator;
    this.document = world.document;
  }

  snapshot(field: string): PolicySnapshot {
    return snapshotInForce(this.document, this.world.policies, field);
  }

  provider(field: string): Provider {
    return this.parts.connect.provider(this.snapshot(field));
  }

  store(field: string): Store {
    return this.parts.connect.store(this.snapshot(field));
  }

  /** The secret as it was seen just now, else as it is. */
  async view(field: string): Promise<SecretView> {
    const at = this.parts.clock.now();
    const fact = this.facts.store[field];
    if (fact && Math.abs(at - fact.at) <= JUST_NOW_MS) return fact.value;
    const value = await this.store(field).observe(this.snapshot(field).key.store);
    // Whoever decides next is to see what was acted upon.
    this.facts.store[field] = { value, at };
    return value;
  }

  /** Makes sure that the lease is still ours, just before something outside is changed. */
  async stillOurs(): Promise<void> {
    await this.parts.journal.renew(this.lease, LEASE_MS);
  }

  /** Evidence is fresh or it is none, also while a commit waits (R3). Throws {@link Overslept}. */
  stillFresh(): void {
    if (Math.abs(this.parts.clock.now() - this.world.now) > ACT_WITHIN_MS) throw new Overslept();
  }

  /** Writes a changed copy of the document together with the event that says why. */
  async commit(
    kind: string,
    change: (draft: TargetDocument) => void,
    more: { field?: string; message?: string; data?: Record<string, unknown>; requestsDone?: string[] } = {},
  ): Promise<void> {
    const draft = jsonCopy(this.document);
    change(draft);
    const rotation = this.operator === undefined ? (draft.rotation ?? this.document.rotation) : undefined;
    const field = more.field ?? rotation?.field;
    const event: NewEvent = {
      at: this.parts.clock.now(),
      key: (field === undefined ? undefined : this.nameOf(draft, field)) ?? "",
      ...(rotation && (field === undefined || rotation.field === field) ? { rotation: rotation.id } : {}),
      actor: this.operator ?? rotation?.actor ?? "schedule",
      kind,
      reason: this.reason,
      message: more.message ?? this.says,
      ...(more.data === undefined ? {} : { data: more.data }),
    };
    const notices = noticesOf(this.document, draft, event, {
      journal: this.parts.journal.id,
      target: this.lease.target,
      policies: this.world.policies,
    });
    await this.parts.journal.commit(this.lease, {
      document: draft,
      events: [event],
      ...(more.requestsDone?.length ? { requestsDone: more.requestsDone } : {}),
      ...(notices.length > 0 ? { notices } : {}),
    });
    if (notices.length > 0) this.parts.onNotices?.();
    this.document = draft;
  }

  /** Writes a change of the journal that goes with an effect. */
  async note(
    kind: string,
    note: Note,
    more: {
      message?: string;
      says?: string;
      data?: Record<string, unknown>;
      also?: (draft: TargetDocument) => void;
    } = {},
  ): Promise<void> {
    const { also, says = this.says, ...rest } = more;
    await this.commit(
      kind,
      (draft) => {
        also?.(draft);
        applyNote(draft, note, { world: this.world, random: this.parts.random, says });
      },
      rest,
    );
  }

  private nameOf(draft: TargetDocument, field: string): string | undefined {
    return draft.keys[field]?.name ?? this.world.policies[field]?.key.name;
  }
}

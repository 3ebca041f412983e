import { RotationError } from "../lib/errors.ts";
import type { TargetDocument } from "./document.ts";
import type { DamagedEntry, Lease, ListedEntry } from "./journal.ts";

/** What every journal decides alike, however it keeps things. */

/** A target's lease as kept; epoch 0 and no holder before the first. `until` in epoch milliseconds. */
export interface LeaseState {
  holder: string | undefined;
  epoch: number;
  until: number;
}

export const NO_LEASE: LeaseState = { holder: undefined, epoch: 0, until: 0 };

/**
 * The lease after `me` asked for it: still another's when that one lives and its lease runs, and
 * then no longer than a lease lasts, since one that ends later was taken by another clock (R15). The
 * epoch is kept only while our own lease still runs: after an expiry nobody knows what happened in
 * between. `isAlive` is asked only about another holder whose lease still runs.
 */
export function takeLease(
  lease: LeaseState,
  me: string,
  now: number,
  ttlMs: number,
  isAlive: (holder: string) => boolean,
): LeaseState {
  const running = lease.holder !== undefined && lease.until > now;
  if (running && lease.holder === me) return { ...lease, until: now + ttlMs };
  if (running && lease.holder !== undefined && isAlive(lease.holder))
    return { ...lease, until: Math.min(lease.until, now + ttlMs) };
  return { holder: me, epoch: lease.epoch + 1, until: now + ttlMs };
}

/** Throws `busy` unless `lease` still stands. One that has run out stands until somebody takes it. */
export function requireLease(lease: Lease, kept: LeaseState): void {
  if (kept.holder === lease.holder && kept.epoch === lease.epoch) return;
  throw new RotationError(
    "busy",
    `the lease of ${lease.target} is no longer ours (epoch ${lease.epoch}, now ${kept.epoch})`,
    {
      hint: "another process of keyturn has taken over; it carries on from the journal",
    },
  );
}

export function hashTaken(hash: string, target: string, owner: string): RotationError {
  return new RotationError(
    "conflict",
    `key ${hash} cannot belong to ${target}: the journal holds it for ${owner}`,
    {
      hint: "a key belongs to one secret; give each its own, or remove one of the two from the policy",
    },
  );
}

export function requestTaken(id: string): RotationError {
  return new RotationError("conflict", `a request with id ${id} is already in the journal`);
}

/** Reads a kept document. Throws `unusable` when it is damaged, `newer-version` when a later keyturn wrote it. */
export function parseDocument(target: string, text: string): TargetDocument {
  const document = parse(text);
  const version = document?.version;
  if (version === 1 && isTable(document?.keys) && isTable(document?.issued) && isTable(document?.intents)) {
    return document as unknown as TargetDocument;
  }
  if (typeof version === "number" && version > 1) {
    throw new RotationError(
      "newer-version",
      `the journal's entry for ${target} has version ${version}; this keyturn knows 1`,
      {
        hint: "run the newer keyturn that wrote it",
      },
    );
  }
  throw damagedEntry(`the journal's entry for ${target}`);
}

/** A part of the journal, named by `what`, that is there and makes no sense. */
export function damagedEntry(what: string): RotationError {
  return new RotationError("unusable", `${what} is damaged`, {
    hint: "restore the journal from a copy, or move it away and start anew with --take-over",
  });
}

/** The entry that `read` gives, or what it is refused with. */
export function entryOrDamage(target: string, read: () => ListedEntry): ListedEntry | DamagedEntry {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof RotationError) return { target, error: thrown };
    throw thrown;
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isTable(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

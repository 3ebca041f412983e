import type { Clock } from "../lib/clock.ts";
import { parseContent, renderContent } from "./content.ts";
import type { SecretRecord } from "./record.ts";
import { reconcile } from "./record-reconcile.ts";
import { recordStore } from "./record-store.ts";
import type { SecretRef, Store } from "./store.ts";

/** One secret of a memory store: its record, and the text that consumers read. */
export interface MemorySecret {
  readonly record?: SecretRecord;
  readonly text?: string;
}

/**
 * What several handles, "processes", share, by name of the secret. Entries are replaced and never
 * changed in place, so `new Map(backing)` is a snapshot. A person's edit sets another `text`.
 */
export type MemoryBacking = Map<string, MemorySecret>;

/** A store that lives as long as its backing; it keeps to the same contract as the file store. */
export function memoryStore(name: string, parts: { clock: Clock; backing?: MemoryBacking }): Store {
  const { clock, backing = new Map() } = parts;
  const load = (ref: SecretRef) => {
    const { record, text } = backing.get(ref.secret) ?? {};
    const fields = record?.current ? typeof record.current.content !== "string" : ref.field !== undefined;
    const consumed = text === undefined ? undefined : parseContent(text, fields, `secret ${ref.secret}`);
    return reconcile(ref.secret, record, consumed, clock.now());
  };
  const save = (record: SecretRecord) => {
    const text = record.current && renderContent(record.current.content);
    backing.set(record.secret, { record, ...(text === undefined ? {} : { text }) });
  };
  const hold: Parameters<typeof recordStore>[2]["hold"] = async (ref, work) => {
    const { record, render, keep, warnings } = load(ref);
    if (record && render) save(record);
    if (record && keep) backing.set(ref.secret, { ...backing.get(ref.secret), record });
    return work({ found: record, warnings, save });
  };
  return recordStore(name, `memory:${name}`, { hold }, clock);
}

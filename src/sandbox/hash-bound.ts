import type { Clock } from "../lib/clock.ts";

/** The settings of a guardrail as its maker wrote them, in the API's own names. */
export type GuardrailFields = Readonly<Record<string, unknown>> & { name: string };

export interface Guardrail {
  readonly id: string;
  readonly account: string;
  readonly workspaceId: string;
  readonly fields: GuardrailFields;
  readonly createdAt: number;
  readonly updatedAt: number | null;
}

export interface Assignment {
  readonly id: string;
  readonly guardrail: string;
  readonly hash: string;
  readonly createdAt: number;
}

/** A BYOK credential or an observability destination, and the keys to which it is restricted, if any. */
export interface Restricted {
  readonly id: string;
  readonly kind: "byok" | "destination";
  readonly name: string;
  readonly account: string;
  /** Null: of the whole account. */
  readonly workspaceId: string | null;
  readonly hashes: readonly string[] | null;
  readonly createdAt: number;
}

/** What an account keeps besides its keys and ties to them by their hashes. */
export class HashBound {
  readonly #clock: Clock;
  readonly #newId: () => string;
  readonly #guardrails = new Map<string, Guardrail>();
  /** By the key's hash: a key has at most one. */
  readonly #assignments = new Map<string, Assignment>();
  readonly #restricted: Restricted[] = [];

  constructor(clock: Clock, newId: () => string) {
    this.#clock = clock;
    this.#newId = newId;
  }

  addGuardrail(fields: GuardrailFields, account: string, workspaceId: string): Guardrail {
    const guardrail = {
      id: this.#newId(),
      account,
      workspaceId,
      fields,
      createdAt: this.#clock.now(),
      updatedAt: null,
    };
    this.#guardrails.set(guardrail.id, guardrail);
    return guardrail;
  }

  guardrail(id: string, account: string): Guardrail | undefined {
    const found = this.#guardrails.get(id);
    return found?.account === account ? found : undefined;
  }

  guardrails(account: string, workspaceId: string): Guardrail[] {
    return [...this.#guardrails.values()].filter(
      (guardrail) => guardrail.account === account && guardrail.workspaceId === workspaceId,
    );
  }

  changeGuardrail({ id, fields, ...rest }: Guardrail, change: Readonly<Record<string, unknown>>): Guardrail {
    const changed = { ...rest, id, fields: { ...fields, ...change }, updatedAt: this.#clock.now() };
    this.#guardrails.set(id, changed);
    return changed;
  }

  /** Takes it off every key, too. */
  deleteGuardrail({ id }: Guardrail): void {
    this.#guardrails.delete(id);
    for (const [hash, { guardrail }] of this.#assignments)
      if (guardrail === id) this.#assignments.delete(hash);
  }

  /** In place of the one that the key had. */
  assign({ id }: Guardrail, hash: string): void {
    if (this.#assignments.get(hash)?.guardrail === id) return;
    const createdAt = this.#clock.now();
    this.#assignments.set(hash, { id: this.#newId(), guardrail: id, hash, createdAt });
  }

  /** Whether it was on the key. */
  unassign({ id }: Guardrail, hash: string): boolean {
    return this.#assignments.get(hash)?.guardrail === id && this.#assignments.delete(hash);
  }

  /** Oldest first. */
  assignments(account: string): Assignment[] {
    return [...this.#assignments.values()].filter(({ guardrail }) => this.guardrail(guardrail, account));
  }

  addRestricted(restricted: Omit<Restricted, "id" | "createdAt">): Restricted {
    const added = { ...restricted, id: this.#newId(), createdAt: this.#clock.now() };
    this.#restricted.push(added);
    return added;
  }

  /** Those of a workspace and those of the whole account. */
  restricted(kind: Restricted["kind"], account: string, workspaceId: string): Restricted[] {
    return this.#restricted.filter(
      (entry) =>
        entry.kind === kind &&
        entry.account === account &&
        (entry.workspaceId === null || entry.workspaceId === workspaceId),
    );
  }
}

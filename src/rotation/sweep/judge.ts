import type { IntentRecord, TargetDocument } from "../../journal/document.ts";
import type { TargetEntry } from "../../journal/journal.ts";
import type { RotationError } from "../../lib/errors.ts";
import type { IssuedKey } from "../../providers/provider.ts";
import { parseIntendedName } from "../names.ts";
import type { Holdings } from "./holdings.ts";
import type { SweepVerdict } from "./report.ts";
import type { SweepScope } from "./scope.ts";

/** What the journal says of a key that the provider lists, before the store was looked at. */
export type Claim =
  | { is: "known" }
  | { is: "intended"; entry: TargetEntry; intent: IntentRecord }
  /** A name of this installation, made for a key called `key`, that this journal did not intend. */
  | { is: "unintended"; key: string };

export interface Ledger {
  installation: string;
  /** Hashes of keys that the journal has issued or adopted, or that the policy names for adoption. */
  known: ReadonlySet<string>;
  intents: ReadonlyMap<string, { entry: TargetEntry; intent: IntentRecord }>;
  /** A part of the journal that could not be read: what is nowhere else may be there. */
  damage: RotationError | undefined;
}

/** `entries`: the journal as it was after the provider's list was walked, so that whatever the list shows was intended by then. */
export function ledgerOf(
  installation: string,
  entries: readonly TargetEntry[],
  toAdopt: readonly string[],
  damage: RotationError | undefined,
): Ledger {
  const issued = entries.flatMap(({ document }) => Object.keys(document.issued));
  const intents = entries.flatMap((entry) =>
    Object.values(entry.document.intents).map((intent) => [intent.name, { entry, intent }] as const),
  );
  return { installation, known: new Set([...issued, ...toAdopt]), intents: new Map(intents), damage };
}

/** Whose a listed key is, by its hash and its exact name (R6); undefined for what is no concern of this sweep. */
export function claimOf(
  { hash, name }: IssuedKey,
  provider: string,
  ledger: Ledger,
  scope: SweepScope,
): Claim | undefined {
  if (ledger.known.has(hash)) return { is: "known" };
  if (name === undefined) return undefined;
  const intended = ledger.intents.get(name);
  if (intended) {
    const { entry, intent } = intended;
    if (intent.provider !== provider || !scope.coversIntent(entry.target, intent.field)) return undefined;
    return { is: "intended", entry, intent };
  }
  const parsed = parseIntendedName(name);
  if (parsed?.installation !== ledger.installation || !scope.coversName(parsed.key)) return undefined;
  return { is: "unintended", key: parsed.key };
}

export interface Judgement {
  verdict: SweepVerdict | "known";
  why: string;
  hint?: string;
}

/** What a key is that this journal intended and has not issued. `holdings` is an error when the store could not be read. */
export function judgeIntended(
  key: IssuedKey,
  intent: IntentRecord,
  document: TargetDocument,
  holdings: Holdings | RotationError,
): Judgement {
  if (document.rotation?.intent === intent.name)
    return { verdict: "known", why: "the rotation in flight asked for it" };
  if (holdings instanceof Error)
    return undecided(`whether the secret holds it is not known: ${holdings.message}`, holdings.hint);
  const holder = holdings.current.find(({ hash }) => hash === key.hash);
  if (holder) return { verdict: "known", why: `it is the current key of ${holder.key}` };
  if (holdings.staged.has(key.hash)) return { verdict: "known", why: "it is staged in the store" };
  if (holdings.rival)
    return undecided(
      `installation "${holdings.rival.installation}" (journal ${holdings.rival.journal}) keeps its secret now, and may have given it to consumers`,
      "ask whoever runs that one",
    );
  const [unnamed] = holdings.unnamed;
  if (unnamed !== undefined)
    return undecided(
      `the secret's current value for ${unnamed} is a key that neither store nor journal can name: it could be this one`,
      "`rotate once` adopts that value or says why it cannot; sweep again after that",
    );
  if (spent(key))
    return undecided("it has been used, so somebody has its plaintext", "find out who, and replace it there");
  return { verdict: "lost", why: `rotation ${intent.rotation} asked for it and never learned its plaintext` };
}

function undecided(why: string, hint?: string): Judgement {
  return { verdict: "undecided", why, ...(hint === undefined ? {} : { hint }) };
}

/** Credits spent with a key in total; undefined where the provider shows none. */
export function spent({ usage, byokUsage }: IssuedKey): number | undefined {
  return usage === undefined && byokUsage === undefined ? undefined : (usage ?? 0) + (byokUsage ?? 0);
}

/** What to make of a key that bears our installation's name and that this journal never intended. */
export function judgeUnintended(
  { hash }: IssuedKey,
  { installation, damage }: Ledger,
  holdings: Holdings | RotationError | undefined,
  deleting: string,
): Judgement {
  if (damage) return undecided(`the journal may know it: ${damage.message}`, damage.hint);
  const why = `its name is one of installation "${installation}" that this journal never asked for: another journal did, or one that was lost`;
  const unless = `see in the provider's dashboard whether anything uses it; if nothing does: ${deleting}`;
  if (holdings === undefined) return { verdict: "unknown", why, hint: unless };
  if (holdings instanceof Error)
    return {
      verdict: "unknown",
      why: `${why}; whether the secret holds it is not known: ${holdings.message}`,
      hint: unless,
    };
  const holder = holdings.current.find((current) => current.hash === hash);
  if (holder)
    return {
      verdict: "unknown",
      why: `${why}; it is the current key of ${holder.key}`,
      hint: holdings.rival
        ? `if installation "${holdings.rival.installation}" (journal ${holdings.rival.journal}), whose stamp the secret bears, is gone for good: rotate --now ${holder.key} --take-over`
        : `\`rotate once\` adopts it; where it cannot prove it, write \`adopt: { hash: ${hash} }\` under ${holder.key}`,
    };
  if (holdings.staged.has(hash))
    return {
      verdict: "unknown",
      why: `${why}; a rotation of that one has staged it in the store`,
      hint: `leave it to the journal that asked for it; if that one is gone for good: ${deleting}`,
    };
  return { verdict: "unknown", why, hint: unless };
}

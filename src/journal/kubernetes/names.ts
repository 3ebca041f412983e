import { createHash } from "node:crypto";

/** Where the policy keeps a journal: its objects are `<name>` and `<name>-…` in one namespace. */
export interface JournalConfig {
  namespace: string;
  name: string;
}

/** Every object of a journal can be selected by this label; its value is the journal's name. */
export const JOURNAL_LABEL = "keyturn.dev/journal";
/** On a target's ConfigMap and Lease, for people: the target. */
export const TARGET_ANNOTATION = "keyturn.dev/target";

const LONGEST_READABLE = 40;
const DIGEST_DIGITS = 12;

/** The name of the ConfigMap and of the Lease of a target: it follows from the policy alone, and is legal whatever the target is called. */
export function objectName(journal: string, target: string): string {
  const readable = target
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, LONGEST_READABLE);
  const digest = createHash("sha256").update(target).digest("hex").slice(0, DIGEST_DIGITS);
  return [journal, ...readable.split("-").filter(Boolean), digest].join("-");
}

/**
 * The names of every object that a journal with these targets uses. Each may be made beforehand,
 * without `data` or `spec`: an empty one counts as new.
 */
export function journalObjects(
  { name }: Pick<JournalConfig, "name">,
  targets: readonly string[],
): { configMaps: string[]; leases: string[] } {
  const leases = [...new Set(targets)].map((target) => objectName(name, target));
  return { configMaps: [name, ...leases], leases };
}

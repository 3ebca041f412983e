import type { Scenario } from "./scenario.ts";

/** The journal as it stands now; called, it is put back as from a backup. */
export function backup({ journalState }: Scenario): () => void {
  const documents = [...journalState.documents];
  const hashes = [...journalState.hashes];
  return () => {
    journalState.documents.clear();
    for (const [target, text] of documents) journalState.documents.set(target, text);
    journalState.hashes.clear();
    for (const [hash, target] of hashes) journalState.hashes.set(hash, target);
  };
}

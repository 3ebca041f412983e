import { closest, distance } from "fastest-levenshtein";

/** The candidate that a misspelled word most likely means, if one is near enough. */
export function nearestWord(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const plain = (text: string) => text.toLowerCase().replace(/[-_\s]/g, "");
  const exact = candidates.find((candidate) => plain(candidate) === plain(word));
  if (exact !== undefined) return exact;
  const best = closest(
    word.toLowerCase(),
    candidates.map((candidate) => candidate.toLowerCase()),
  );
  const found = candidates.find((candidate) => candidate.toLowerCase() === best);
  if (found === undefined) return undefined;
  if (letters(found) === letters(word)) return found;
  const allowed = Math.max(1, Math.floor(Math.max(word.length, found.length) / 3));
  return distance(word.toLowerCase(), best) <= allowed ? found : undefined;
}

/** Equal for words with letters swapped. */
function letters(word: string): string {
  return [...word.toLowerCase()].sort().join("");
}

/** `did you mean "local"?`, or nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  const found = nearestWord(word, candidates);
  return found === undefined ? undefined : `did you mean ${JSON.stringify(found)}?`;
}

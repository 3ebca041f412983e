import type { Findings } from "../findings.ts";
import { nearestWord } from "../nearest.ts";
import type { Path } from "../tree.ts";
import type { KeyView, PolicyView } from "../view.ts";

const WORDS = ["fingerprint", "hash", "label", "version"];

/** Whether any of the texts holds a word that stands for the new key, or is meant to. */
export function tellsKeysApart(texts: readonly unknown[]): boolean {
  return texts.some((text) => wordsIn(text).some((word) => nearestWord(word, WORDS)));
}

function wordsIn(text: unknown): string[] {
  return typeof text === "string" ? [...text.matchAll(/\{(\w+)\}/g)].map(([, word = ""]) => word) : [];
}

/** Misspelled words in braces; any other text in braces is the user's own. */
export function checkTemplates(key: KeyView, { tree }: PolicyView, findings: Findings): void {
  for (const [index, consumer] of key.consumers.entries()) {
    if (!consumer) continue;
    const at: Path = [...key.path, "consumers", index];
    const { expect, exec } = consumer.probe;
    const named = (field: string, map: object | undefined): [Path, unknown][] =>
      Object.entries(map ?? {}).map(([name, text]) => [["probe", "expect", field, name], text]);
    const listed = (of: string, list: string[] | undefined): [Path, unknown][] =>
      (list ?? []).map((text, n) => [[of, "exec", n], text]);
    const texts: [Path, unknown][] = [
      ...listed("probe", exec),
      ...listed("reload", consumer.reload?.exec),
      ...named("json", expect?.json),
      ...named("headers", expect?.headers),
      [["probe", "expect", "body"], expect?.body],
    ];
    for (const [path, text] of texts) {
      for (const word of wordsIn(text)) {
        const meant = WORDS.includes(word) ? undefined : nearestWord(word, WORDS);
        if (meant === undefined) continue;
        const accepted = WORDS.map((each) => `{${each}}`).join(", ");
        const hint = `did you mean {${meant}}?`;
        findings.fault(tree, [...at, ...path], `found {${word}}; accepted: ${accepted}`, { hint });
      }
    }
  }
}

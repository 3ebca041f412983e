import type { Findings } from "../findings.ts";
import { nearestWord } from "../nearest.ts";
import type { Path } from "../tree.ts";
import type { KeyView, PolicyView } from "../view.ts";

const WORDS = ["fingerprint", "hash", "label", "version"];
const TEMPLATE = new RegExp(`\\{(?:${WORDS.join("|")})\\}`);

/** Whether any of the texts holds a word that stands for the new key. */
export function tellsKeysApart(texts: readonly unknown[]): boolean {
  return texts.some((text) => typeof text === "string" && TEMPLATE.test(text));
}

/** Misspelled words in braces; any other text in braces is the user's own. */
export function checkTemplates(key: KeyView, { tree }: PolicyView, findings: Findings): void {
  for (const [index, consumer] of key.consumers.entries()) {
    if (!consumer) continue;
    const at: Path = [...key.path, "consumers", index];
    const { expect, exec } = consumer.probe;
    const texts: [Path, unknown][] = [
      ...(exec ?? []).map((text, n): [Path, unknown] => [["probe", "exec", n], text]),
      ...(consumer.reload?.exec ?? []).map((text, n): [Path, unknown] => [["reload", "exec", n], text]),
      ...Object.entries(expect?.json ?? {}).map(([name, text]): [Path, unknown] => [
        ["probe", "expect", "json", name],
        text,
      ]),
      ...Object.entries(expect?.headers ?? {}).map(([name, text]): [Path, unknown] => [
        ["probe", "expect", "headers", name],
        text,
      ]),
      [["probe", "expect", "body"], expect?.body],
    ];
    for (const [path, text] of texts) {
      if (typeof text !== "string") continue;
      for (const [, word = ""] of text.matchAll(/\{(\w+)\}/g)) {
        const meant = WORDS.includes(word) ? undefined : nearestWord(word, WORDS);
        if (meant === undefined) continue;
        findings.fault(
          tree,
          [...at, ...path],
          `found {${word}}; accepted: ${WORDS.map((each) => `{${each}}`).join(", ")}`,
          {
            hint: `did you mean {${meant}}?`,
          },
        );
      }
    }
  }
}

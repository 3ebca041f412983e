import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  parseAllDocuments,
  type Scalar as YamlScalar,
} from "yaml";
import type { Findings } from "./findings.ts";
import type { Source } from "./source.ts";
import type { Path, Span, Tree } from "./tree.ts";

/** More than any policy needs; less than what aliases of aliases can blow up to. */
const MOST_VALUES = 100_000;
const DEEPEST = 40;

/** The policy's text as a tree; undefined when it has no usable shape, and `findings` say why. */
export function readYaml(source: Source, findings: Findings): Tree | undefined {
  const documents = parseAllDocuments(source.text, {
    prettyErrors: false,
    uniqueKeys: false,
    version: "1.2",
  });
  if (
    "empty" in documents ||
    documents.every((document) => document.contents === null && !document.errors.length)
  ) {
    findings.faultAt(0, [], "the file is empty; accepted: a policy that begins with `version: 1`");
    return undefined;
  }
  for (const { errors, warnings } of documents) {
    for (const { pos, message } of [...errors, ...warnings]) {
      findings.faultAt(pos[0], [], `no valid YAML: ${message}`, syntaxHint(source, pos[0]));
    }
  }
  const second = documents[1];
  if (second) {
    const at = second.contents?.range?.[0] ?? second.range[0];
    findings.faultAt(at, [], "a second document begins here; accepted: one policy a file");
  }
  if (findings.anyFault) return undefined;
  const [document] = documents;
  const root = document?.contents && new Walk(document, findings).tree(document.contents, [], undefined, 0);
  if (root && root.kind !== "map") {
    findings.faultAt(
      root.at.start,
      [],
      "the file holds no map; accepted: a policy that begins with `version: 1`",
    );
  }
  return root?.kind === "map" ? root : undefined;
}

function syntaxHint(source: Source, offset: number): string | undefined {
  const { text } = source.excerpt(offset);
  return /[{[].*\$\{/.test(text)
    ? `inside { } and [ ], put a string with \${…} in quotes: "\${NAME}"`
    : undefined;
}

class Walk {
  readonly #document: Document;
  readonly #findings: Findings;
  #values = 0;

  constructor(document: Document, findings: Findings) {
    this.#document = document;
    this.#findings = findings;
  }

  tree(node: Node, path: Path, keyAt: Span | undefined, depth: number): Tree | undefined {
    const at = spanOf(node);
    if (++this.#values > MOST_VALUES || depth > DEEPEST) {
      const what = depth > DEEPEST ? `nested more than ${DEEPEST} deep` : `more than ${MOST_VALUES} values`;
      if (this.#values <= MOST_VALUES + 1)
        this.#findings.faultAt(at.start, path, `${what}, aliases followed`);
      this.#values = MOST_VALUES + 1;
      return undefined;
    }
    const place = { path, at, ...(keyAt && { keyAt }) };
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      const resolved = target && this.tree(target, path, keyAt, depth + 1);
      return resolved && { ...resolved, ...place };
    }
    if (isSeq(node)) {
      const items = node.items.map((item, index) =>
        this.tree(item as Node, [...path, index], undefined, depth + 1),
      );
      return { kind: "list", ...place, items: items.filter((item) => item !== undefined) };
    }
    if (isMap(node)) return { kind: "map", ...place, entries: this.#entries(node.items, path, depth) };
    return { kind: "scalar", ...place, value: isScalar(node) ? plainValue(node) : null };
  }

  #entries(items: readonly { key: unknown; value: unknown }[], path: Path, depth: number): Map<string, Tree> {
    const entries = new Map<string, Tree>();
    for (const { key, value } of items) {
      const name = isScalar(key) && key.value !== null ? String(key.value) : undefined;
      const keyAt = spanOf(key as Node);
      if (name === undefined || name === "__proto__") {
        this.#findings.faultAt(keyAt.start, path, "found a field name that is no plain word");
        continue;
      }
      const earlier = entries.get(name);
      if (earlier) {
        this.#findings.faultAt(
          keyAt.start,
          [...path, name],
          "this field stands here twice; keep one of the two",
        );
        continue;
      }
      const entry = value
        ? this.tree(value as Node, [...path, name], keyAt, depth + 1)
        : { kind: "scalar" as const, path: [...path, name], at: keyAt, keyAt, value: null };
      if (entry) entries.set(name, entry);
    }
    return entries;
  }
}

function plainValue(node: YamlScalar): string | number | boolean | null {
  const { value } = node;
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null;
}

function spanOf(node: Node | null | undefined): Span {
  const [start, end] = node?.range ?? [0, 0];
  return { start, end };
}

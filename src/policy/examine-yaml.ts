import {
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
import { DEEPEST, MOST_VALUES, type Path, type Span, type Tree } from "./tree.ts";

/** Less than what aliases of aliases can blow up to. */
const MOST_REPEATED = 100_000;

const ACCEPTED = "accepted: a policy that begins with `version: 1`";

/** Reads all of YAML, and says of what is none where it goes wrong: the text as a tree, or undefined when it has no usable shape and `findings` say why. */
export function examineYaml(source: Source, findings: Findings): Tree | undefined {
  const documents = parseAllDocuments(source.text, {
    prettyErrors: false,
    uniqueKeys: false,
    version: "1.2",
  });
  const hasNothing = "empty" in documents || documents.every((each) => !each.contents && !each.errors.length);
  if (hasNothing) {
    findings.faultAt(0, [], `the file is empty; ${ACCEPTED}`);
    return undefined;
  }
  const linesAtFault = new Set<number>();
  for (const { pos, message } of documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])) {
    const { line } = source.position(pos[0]);
    if (!linesAtFault.has(line)) {
      findings.faultAt(pos[0], [], `no valid YAML: ${plain(message)}`, syntaxHint(source, pos[0]));
    }
    linesAtFault.add(line);
  }
  const [first, second] = documents;
  if (second) {
    const at = second.contents?.range?.[0] ?? second.range[0];
    findings.faultAt(at, [], "a second document begins here; accepted: one policy a file");
  }
  if (findings.anyFault || !first?.contents) return undefined;
  const walk = new Walk(findings);
  const root = walk.tree(first.contents, [], undefined, 0);
  if (!walk.gaveUp && root.kind !== "map")
    findings.faultAt(root.at.start, [], `the file holds no map; ${ACCEPTED}`);
  return !walk.gaveUp && root.kind === "map" ? root : undefined;
}

/** What the parser says when it runs out of stack, in words. */
function plain(message: string): string {
  return /stack/i.test(message) ? `nested more than ${DEEPEST} deep` : message;
}

function syntaxHint(source: Source, offset: number): string | undefined {
  const text = source.excerpt(offset)?.text;
  return text && /[{[].*\$\{/.test(text)
    ? `inside { } and [ ], put a string with \${…} in quotes: "\${NAME}"`
    : undefined;
}

class Walk {
  /** Set when what is there cannot be walked to its end; a fault says why. */
  gaveUp = false;
  readonly #findings: Findings;
  readonly #anchors = new Map<string, Node>();
  #values = 0;
  /** How many aliases lie around the value in hand. */
  #aliases = 0;
  #repeated = 0;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  tree(node: Node, path: Path, keyAt: Span | undefined, depth: number): Tree {
    const at = spanOf(node);
    const place = { path, at, ...(keyAt && { keyAt }) };
    const nothing: Tree = { kind: "scalar", ...place, value: null };
    if (this.gaveUp) return nothing;
    if (depth > DEEPEST) return this.#giveUp(nothing, `nested more than ${DEEPEST} deep`);
    if (++this.#values > MOST_VALUES) return this.#giveUp(nothing, `more than ${MOST_VALUES} values`);
    if (this.#aliases > 0 && ++this.#repeated > MOST_REPEATED)
      return this.#giveUp(nothing, `more than ${MOST_REPEATED} values by aliases`);
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (!target) return this.#giveUp(nothing, `found *${node.source}, but no &${node.source} before it`);
      this.#aliases += 1;
      const tree = { ...this.tree(target, path, keyAt, depth + 1), ...place };
      this.#aliases -= 1;
      return tree;
    }
    if (node.anchor) this.#anchors.set(node.anchor, node);
    if (isSeq(node)) {
      const items = node.items.map((item, index) =>
        this.tree(item as Node, [...path, index], undefined, depth + 1),
      );
      return { kind: "list", ...place, items };
    }
    if (isMap(node)) return { kind: "map", ...place, entries: this.#entries(node.items, path, depth) };
    return isScalar(node) ? { ...nothing, value: plainValue(node) } : nothing;
  }

  #giveUp(at: Tree, message: string): Tree {
    this.gaveUp = true;
    this.#findings.faultAt(at.at.start, at.path.slice(0, 6), message);
    return at;
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
      const entry: Tree = value
        ? this.tree(value as Node, [...path, name], keyAt, depth + 1)
        : { kind: "scalar", path: [...path, name], at: keyAt, keyAt, value: null };
      entries.set(name, entry);
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

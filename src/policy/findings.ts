import type { Fault, PolicyNote } from "./faults.ts";
import { redact } from "./literals.ts";
import { printable, type Source } from "./source.ts";
import { find, formatPath, nearestTo, type Path, type Tree } from "./tree.ts";

interface Found {
  offset: number;
  path: string;
  message: string;
  hint?: string | undefined;
}

/** Of so many faults the line is quoted; more than that have a common cause. */
const MOST_QUOTED = 100;
/** A shorter value of the environment is no secret, and would be found in words of ours. */
const SHORTEST_VALUE = 6;

/** Collects what is found wrong or odd in one policy, each at its place, the same thing only once. */
export class Findings {
  readonly #faults = new Map<string, Found>();
  readonly #notes = new Map<string, Found>();
  readonly #settled = new Set<string>();
  /** What the environment filled in, and how that is written. */
  readonly #filled = new Map<string, string>();

  get anyFault(): boolean {
    return this.#faults.size > 0;
  }

  /** A fault at a place in the text. */
  faultAt(offset: number, path: Path, message: string, hint?: string): void {
    const where = formatPath(path);
    if (!this.#settled.has(where)) add(this.#faults, { offset, path: where, message, hint });
  }

  /** Takes no further fault for that path: what was found makes the rest follow. */
  settle(path: Path): void {
    this.#settled.add(formatPath(path));
  }

  /** From now on `value` is shown as it was written: `${NAME}`. */
  fromEnvironment(name: string, value: string): void {
    if (value.length < SHORTEST_VALUE) return;
    for (const form of [value, JSON.stringify(value).slice(1, -1)]) this.#filled.set(form, `\${${name}}`);
  }

  /** A fault of what stands at a path of `tree`, or should; `on: "name"` points at the field's name. */
  fault(
    tree: Tree,
    path: Path,
    message: string,
    options: { hint?: string | undefined; on?: "name" } = {},
  ): void {
    const place = placeOf(tree, path, options.on);
    this.faultAt(place.offset, place.path, message, options.hint);
  }

  note(tree: Tree, path: Path, message: string): void {
    const place = placeOf(tree, path);
    add(this.#notes, { offset: place.offset, path: formatPath(place.path), message });
  }

  /** Every fault in the order of the text, lines quoted with all secrets known by now taken out. */
  faults(file: string, source: Source): Fault[] {
    return inOrder(this.#faults).map(({ offset, path, message, hint }, index) => {
      const excerpt = index < MOST_QUOTED && source.text.trim() ? source.excerpt(offset) : undefined;
      return {
        file,
        ...source.position(offset),
        path: clean(path),
        message: this.#clean(message),
        ...(hint && { hint: this.#clean(hint) }),
        ...(excerpt && { excerpt }),
      };
    });
  }

  notes(source: Source): PolicyNote[] {
    return inOrder(this.#notes).map(({ offset, path, message }) => ({
      path: clean(path),
      ...source.position(offset),
      message: this.#clean(message),
    }));
  }

  #clean(text: string): string {
    const longestFirst = [...this.#filled].sort(([a], [b]) => b.length - a.length);
    return clean(
      longestFirst.reduce((rest, [value, written]) => rest.replaceAll(value, () => written), text),
    );
  }
}

function add(to: Map<string, Found>, found: Found): void {
  const digest = JSON.stringify([found.offset, found.path, found.message]);
  if (!to.has(digest)) to.set(digest, found);
}

function inOrder(found: Map<string, Found>): Found[] {
  return [...found.values()].sort((a, b) => a.offset - b.offset);
}

/**
 * Where to point for a path: at the value, or, where it is absent, at the name of the map it should
 * be in. What a key lacks although `defaults` has the map around it is lacking in the key.
 */
function placeOf(tree: Tree, path: Path, on?: "name"): { offset: number; path: Path } {
  const { tree: nearest, rest } = nearestTo(tree, path);
  if (rest.length > 0 && nearest.path[0] === "defaults" && path[0] === "keys") {
    return { offset: find(tree, path.slice(0, 2))?.at.start ?? 0, path };
  }
  const byName = on === "name" || rest.length > 0;
  const span = byName && nearest.keyAt ? nearest.keyAt : nearest.at;
  return { offset: span.start, path: [...nearest.path, ...rest] };
}

function clean(text: string): string {
  return redact(printable(text));
}

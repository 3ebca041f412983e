import { RotationError } from "../lib/errors.ts";
import type { KubeAnswer, KubeList, KubeObject } from "./api.ts";

const PAGE = 500;
/** Against a server that never ends a list. */
const MOST_PAGES = 1_000;
const MOST_STARTS = 4;

/** One page; throws RotationError with status 410 when what it continues has expired. */
export type ReadPage = (query: Record<string, string>) => Promise<KubeAnswer>;

/**
 * All pages of a list, as of one instant. A list that expires on the way is begun again, a few
 * times. Throws what `read` throws, `malformed` for a list that is none or that repeats itself.
 */
export async function walkList<T extends KubeObject>(what: string, read: ReadPage): Promise<KubeList<T>> {
  for (let start = 1; ; start++) {
    try {
      return await walkOnce<T>(what, read);
    } catch (thrown) {
      const expired = thrown instanceof RotationError && thrown.status === 410;
      if (!expired || start === MOST_STARTS) throw thrown;
    }
  }
}

async function walkOnce<T extends KubeObject>(what: string, read: ReadPage): Promise<KubeList<T>> {
  const items: T[] = [];
  const seen = new Set<string>();
  let token = "";
  for (let pages = 1; pages <= MOST_PAGES; pages++) {
    const page = pageOf<T>(what, await read({ limit: String(PAGE), ...(token && { continue: token }) }));
    items.push(...page.items);
    if (page.next === "") return { items, resourceVersion: page.resourceVersion };
    if (seen.has(page.next)) break;
    seen.add(page.next);
    token = page.next;
  }
  throw new RotationError("malformed", `cannot ${what}: the list does not end`);
}

function pageOf<T extends KubeObject>(what: string, { body, status }: KubeAnswer) {
  const { items, metadata } = (body ?? {}) as { items?: unknown; metadata?: Record<string, unknown> };
  // Go writes an empty list as null.
  const all = items === null ? [] : items;
  const version = metadata?.resourceVersion;
  if (!Array.isArray(all) || typeof version !== "string" || !all.every(isNamed)) {
    throw new RotationError("malformed", `cannot ${what}: the answer is not a list of the API`, { status });
  }
  const next = metadata?.continue;
  return { items: all as T[], resourceVersion: version, next: typeof next === "string" ? next : "" };
}

function isNamed(item: unknown): boolean {
  return typeof (item as KubeObject | null)?.metadata?.name === "string";
}

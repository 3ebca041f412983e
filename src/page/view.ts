import type { KeyState } from "../rotation/report.ts";
import type { LiveKey, Snapshot } from "./live.ts";

/** States in which a key waits for a person, the most urgent first. */
export const NEEDS_PERSON: readonly KeyState[] = ["held", "failed", "overdue", "blocked"];
/** Every state, in the order in which keys are listed. */
export const STATES: readonly KeyState[] = [...NEEDS_PERSON, "rotating", "new", "ok", "suspended"];

/** What of all keys is asked for, by the page's address. */
export interface Filter {
  /** A part of the key's, the provider's or the secret's name. */
  q: string;
  state: KeyState | "person" | "all";
  /** From 1 on. */
  page: number;
}

export interface Overview {
  filter: Filter;
  counts: Record<Filter["state"], number>;
  /** Those that need a person or rotate, as cards: at most {@link MOST_CARDS}. */
  cards: LiveKey[];
  /** How many more would be cards. */
  moreCards: number;
  rows: LiveKey[];
  /** Of all that match, where `rows` begins, from 1 on; 0 when none matches. */
  first: number;
  matching: number;
  pages: number;
}

const ROWS_A_PAGE = 100;
const MOST_CARDS = 20;
const LONGEST_QUERY = 100;

/** Whatever stands in the address gives a filter; what makes no sense is left out. */
export function filterOf(query: URLSearchParams): Filter {
  const state = query.get("state") ?? "";
  const page = Number(query.get("page"));
  return {
    q: (query.get("q") ?? "").slice(0, LONGEST_QUERY).trim(),
    state: state === "person" || isState(state) ? state : "all",
    page: Number.isInteger(page) && page >= 1 && page <= 1_000_000 ? page : 1,
  };
}

function isState(text: string): text is KeyState {
  return (STATES as readonly string[]).includes(text);
}

export function overviewOf({ keys }: Snapshot, filter: Filter): Overview {
  const counts = countsOf(keys);
  const matching = keys
    .filter((key) => isAskedFor(key, filter))
    .sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state));
  const inCards = matching.filter(({ state }) => needsPerson(state) || state === "rotating");
  const pages = Math.max(1, Math.ceil(matching.length / ROWS_A_PAGE));
  const page = Math.min(filter.page, pages);
  const from = (page - 1) * ROWS_A_PAGE;
  return {
    filter: { ...filter, page },
    counts,
    cards: inCards.slice(0, MOST_CARDS),
    moreCards: Math.max(0, inCards.length - MOST_CARDS),
    rows: matching.slice(from, from + ROWS_A_PAGE),
    first: matching.length === 0 ? 0 : from + 1,
    matching: matching.length,
    pages,
  };
}

export function needsPerson(state: KeyState): boolean {
  return NEEDS_PERSON.includes(state);
}

function countsOf(keys: readonly LiveKey[]): Overview["counts"] {
  const counts = Object.fromEntries(["all", "person", ...STATES].map((state) => [state, 0]));
  const count = (state: string) => {
    counts[state] = (counts[state] ?? 0) + 1;
  };
  for (const { state } of keys) {
    count("all");
    count(state);
    if (needsPerson(state)) count("person");
  }
  return counts as Overview["counts"];
}

function isAskedFor({ key, target, provider, state }: LiveKey, filter: Filter): boolean {
  if (filter.state === "person" ? !needsPerson(state) : filter.state !== "all" && state !== filter.state)
    return false;
  const q = filter.q.toLowerCase();
  return q === "" || [key, target, provider].some((text) => text.toLowerCase().includes(q));
}

/** The address of the page with this filter. */
export function hrefOf({ q, state, page }: Filter): string {
  const query = new URLSearchParams({
    ...(q === "" ? {} : { q }),
    ...(state === "all" ? {} : { state }),
    ...(page === 1 ? {} : { page: String(page) }),
  }).toString();
  return query === "" ? "/" : `/?${query}`;
}

import type { Call, Reply } from "./api-frame.ts";
import type { ARouterDialect } from "./arouter-dialect.ts";
import { arouterKeyJson } from "./arouter-json.ts";
import type { ProviderModel } from "./provider-model.ts";

const DEFAULT_PAGE = 20;

/** A page of an account's keys, newest first, from an offset or from the token of the page before. */
export function arouterList(
  model: ProviderModel,
  { query }: Call,
  account: string,
  dialect: ARouterDialect,
): Reply | string {
  const size = Number(query.get("page_size") ?? DEFAULT_PAGE);
  if (!Number.isInteger(size) || size < 1) return "page_size: must be a whole number from 1 up";
  const offset = Number(query.get("offset") ?? 0);
  if (!Number.isInteger(offset) || offset < 0) return "offset: must be a whole number from 0 up";
  const includeDisabled = query.get("include_disabled") === "true";
  const keys = model.list({ offset: 0, includeDisabled, limit: Number.POSITIVE_INFINITY }, account);

  let start = dialect.offset === "heeded" ? offset : 0;
  const token = query.get("page_token");
  if (token !== null) {
    // It names the last key of the page before, so that what comes and goes in between moves nothing.
    const last = Buffer.from(token, "base64url").toString();
    start = keys.findIndex(({ hash }) => hash === last) + 1;
    if (start === 0) return "page_token: not known, or no more";
  }
  const most = dialect.pageSize === "heeded" ? size : Number.POSITIVE_INFINITY;
  const page = keys.slice(start, start + Math.min(most, dialect.largestPage));
  const last = page.at(-1);
  const next = last && last !== keys.at(-1) ? Buffer.from(last.hash).toString("base64url") : "";
  const data = page.map((key) => arouterKeyJson(key, dialect));
  return { status: 200, json: { data, ...tokenJson(next, dialect) } };
}

function tokenJson(next: string, { nextToken }: ARouterDialect): Record<string, unknown> {
  switch (nextToken) {
    case "none":
      return {};
    case "pagination.next_page_token":
      return { pagination: { next_page_token: next || null } };
    case "page_token":
      return { page_token: next, has_more: next !== "" };
    default:
      return { [nextToken]: next };
  }
}

/** Where ARouter's pages and SDKs disagree; the defaults are the key-management guide's form. */
export interface ARouterDialect {
  /** The answer to create: `{data, key}`, or `{key, hash, name}` and nothing else. */
  created: "enveloped" | "flat";
  limitField: "limit" | "limit_usd";
  /** `usage: 1.5`, or `usage: {cost: 1.5, …}`. */
  usage: "number" | "object";
  /** The answer to delete: `{deleted: true}`, `{data: {deleted: true}}`, or 204 without a body. */
  deleted: "flag" | "enveloped" | "no-content";
  /** Error bodies: `{error: {message, type}}`, `{error: {message, code}}` with text or number, or `{code, message}`. */
  errors: "type" | "text-code" | "number-code" | "flat";
  /** `GET /keys/{hash}`: there, or how its absence is answered, by the API or by the server in front of it. */
  getByHash: "served" | "api-404" | "server-404" | "405";
  /** Where a key asks about itself: `/api/v1/key` or `/v1/key`. */
  currentAt: "api" | "host";
  /** Whether the answer to a list that goes on has a token for its next page. */
  nextToken: "none" | "next_page_token" | "pagination.next_page_token" | "page_token";
  /** Whether `page_size` is heeded, up to the largest page; else every page is as large as that. */
  pageSize: "heeded" | "ignored";
  largestPage: number;
  /** Whether `offset` is heeded. */
  offset: "heeded" | "ignored";
}

export const DEFAULT_DIALECT: ARouterDialect = {
  created: "enveloped",
  limitField: "limit",
  usage: "number",
  deleted: "flag",
  errors: "type",
  getByHash: "served",
  currentAt: "api",
  nextToken: "none",
  pageSize: "heeded",
  largestPage: 100,
  offset: "heeded",
};

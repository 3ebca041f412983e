import fc from "fast-check";
import type { Clock } from "../../src/lib/clock.ts";
import { RotationError } from "../../src/lib/errors.ts";
import type { HttpResponse, HttpSend } from "../../src/lib/http.ts";
import { anyJson, mutated, nested, soup } from "./generators.ts";

export const MANAGEMENT_KEY = "sk-or-v1-management0123456789abcdef";
export const PLAINTEXT = "sk-or-v1-plaintext0123456789abcdef";
export const HASH = "f01d52606dc8f0a8303a7b5cc3fa07109c2e346cec7c0a16b40de462992ce943";

const KEY = {
  hash: HASH,
  label: "sk-or-v1-abc...123",
  name: "prod/payments",
  disabled: false,
  limit: 10,
  limit_remaining: 4,
  limit_reset: "weekly",
  include_byok_in_limit: false,
  usage: 6,
  byok_usage: 1,
  created_at: "2027-02-19T20:52:27.363244+00:00",
  updated_at: null,
  expires_at: null,
};
/** What the two APIs answer when all is well, and when it is not. */
const REAL: unknown[] = [
  { data: KEY },
  { data: KEY, key: PLAINTEXT },
  { ...KEY, key: PLAINTEXT },
  { data: [KEY, { ...KEY, hash: "f00d" }] },
  { data: [KEY], next_page_token: "p2", has_more: true },
  { data: Array.from({ length: 100 }, (_, at) => ({ ...KEY, hash: `h${at}` })) },
  { data: [{ guardrail_id: "g1", key_hash: HASH }] },
  { data: [{ id: "b1", name: "mine", provider: "openai", allowed_api_key_hashes: [HASH] }] },
  { deleted: true },
  { data: { deleted: true } },
  { error: { code: 401, message: "User not found." } },
  { error: { message: `bad ${MANAGEMENT_KEY}`, type: "auth" } },
  { code: 404, message: `no key ${PLAINTEXT} here` },
];

const echo = fc.constantFrom(
  MANAGEMENT_KEY,
  PLAINTEXT,
  `Bearer ${MANAGEMENT_KEY}`,
  MANAGEMENT_KEY.slice(0, 25),
  MANAGEMENT_KEY.slice(9),
  encodeURIComponent(`"${MANAGEMENT_KEY}"`),
  `\u0000${PLAINTEXT}\n`,
  { key: PLAINTEXT },
  { message: MANAGEMENT_KEY },
  { [MANAGEMENT_KEY]: MANAGEMENT_KEY },
  "constructor",
  "h\n1",
);

const body: fc.Arbitrary<string> = fc.oneof(
  {
    arbitrary: fc
      .constantFrom(...REAL)
      .chain((real) => mutated(real, fc.oneof(echo, anyJson)).map((json) => JSON.stringify(json) ?? "")),
    weight: 6,
  },
  { arbitrary: fc.constantFrom(...REAL.map((real) => JSON.stringify(real))), weight: 2 },
  {
    arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString("utf8")),
    weight: 1,
  },
  {
    arbitrary: soup(['{"data":', '{"error":', "[", "]", "}", "<html>", MANAGEMENT_KEY, ",", "null"], 8),
    weight: 1,
  },
  {
    arbitrary: fc.constantFrom(
      "",
      nested(20_000),
      `{"data":${nested(20_000)}}`,
      `{"data":{"hash":"h","x":${nested(20_000)}}}`,
    ),
    weight: 1,
  },
);

const header = fc.constantFrom(
  "",
  "0",
  "-1",
  "1e9",
  "99999999999999999999",
  "9".repeat(400),
  "NaN",
  "Infinity",
  "0.5",
  "Wed, 21 Oct 2015 07:28:00 GMT",
  "Fri, 31 Dec 9999 23:59:59 GMT",
  "Thu, 01 Jan 1970 00:00:00 GMT",
  "+275760-09-13T00:00:00Z",
  "+275760-09-14T00:00:00Z",
  "yesterday",
  MANAGEMENT_KEY,
  `https://u:${MANAGEMENT_KEY}@elsewhere.example/`,
);
const headers = fc
  .record(
    {
      date: header,
      "retry-after": header,
      location: header,
      "content-type": fc.constantFrom("text/html", "application/json", "image/png", "x"),
      "content-length": header,
    },
    { requiredKeys: [] },
  )
  .map((found): Record<string, string> => ({ ...found }));

const status = fc.oneof(
  {
    arbitrary: fc.constantFrom(
      200,
      200,
      200,
      201,
      204,
      302,
      400,
      401,
      402,
      403,
      404,
      405,
      408,
      409,
      422,
      429,
      500,
      501,
      503,
    ),
    weight: 5,
  },
  { arbitrary: fc.integer({ min: 0, max: 1_000 }), weight: 1 },
);

/** One thing that happens in place of the answer that a call waits for. */
export type Event = HttpResponse | RotationError;

const event: fc.Arbitrary<Event> = fc.oneof(
  { arbitrary: fc.record({ status, headers, body }), weight: 8 },
  {
    arbitrary: fc
      .constantFrom("unreachable" as const, "unclear" as const, "malformed" as const)
      .map((code) => new RotationError(code, `POST https://api.example broke, ${MANAGEMENT_KEY}`)),
    weight: 1,
  },
);

/** What a server does: these answers one after another, the last of them for ever. */
export const server: fc.Arbitrary<Event[]> = fc.array(event, { minLength: 1, maxLength: 5 });

/** A wire that behaves so, and how often it was used. */
export function wire(events: readonly Event[]): { send: HttpSend; calls: { method: string }[] } {
  const calls: { method: string }[] = [];
  return {
    calls,
    async send({ method }) {
      const event = events[Math.min(calls.length, events.length - 1)] as Event;
      calls.push({ method });
      if (event instanceof RotationError) throw event;
      return event;
    },
  };
}

/** A clock on which every wait is over at once; tells how long was waited in all. */
export function hastyClock(start = Date.parse("2027-03-10T12:00:00Z")): Clock & { waited(): number } {
  let now = start;
  return {
    now: () => now,
    waited: () => now - start,
    async sleep(ms) {
      now += Math.max(0, ms);
    },
  };
}

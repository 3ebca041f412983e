import { createServer } from "node:http";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mayHaveHappened } from "../../src/lib/errors.ts";
import { Secret } from "../../src/lib/secret.ts";
import type { ProviderParts } from "../../src/providers/connection.ts";
import type { IssuedKey, Provider } from "../../src/providers/provider.ts";
import { listen } from "../probes/support.ts";
import { arouter } from "../providers/arouter.ts";
import { openRouter } from "../providers/open-router.ts";
import { expectWithout, outcome, runs } from "./generators.ts";
import { type Event, HASH, hastyClock, MANAGEMENT_KEY, PLAINTEXT, server, wire } from "./provider-answers.ts";

const SECRETS = [MANAGEMENT_KEY, MANAGEMENT_KEY.slice(9, 30), PLAINTEXT, PLAINTEXT.slice(9, 30)];
/** Without plaintexts of create, whose one answer may well hold it. */
const SHOWN_BY_A_VALUE = [MANAGEMENT_KEY, PLAINTEXT];

const random = { bytes: (n: number) => new Uint8Array(n), fraction: () => 0.5 };
const PROVIDERS: Record<string, (key: string, config: object, parts: Partial<ProviderParts>) => Provider> = {
  OpenRouter: openRouter,
  ARouter: arouter,
};

function isInstantOrNothing(value: string | null | undefined): boolean {
  return value === undefined || value === null || Number.isFinite(Date.parse(value));
}

function expectKey(key: IssuedKey): void {
  expect(key.hash).toMatch(/^[\x21-\x7e]{1,256}$/);
  expect(["", ".", "..", "__proto__", "constructor"]).not.toContain(key.hash);
  for (const number of [key.limit, key.limitRemaining, key.usage, key.byokUsage])
    expect(number === undefined || number === null || Number.isFinite(number)).toBe(true);
  expect([undefined, true, false]).toContain(key.disabled);
  expect([undefined, null, "daily", "weekly", "monthly"]).toContain(key.limitReset);
  expect([key.createdAt, key.updatedAt, key.expiresAt].every(isInstantOrNothing)).toBe(true);
  expectWithout(SHOWN_BY_A_VALUE, JSON.stringify([key.raw, key.label, key.hash]));
}

/** Each method, and what its value must look like whatever was answered. */
const METHODS: Record<string, (provider: Provider) => Promise<unknown>> = {
  list: async (provider) => (await provider.list()).forEach(expectKey),
  async get(provider) {
    const key = await provider.get(HASH);
    if (key) expectKey(key);
    expect(key?.hash ?? HASH).toBe(HASH);
  },
  async update(provider) {
    const key = await provider.update(HASH, { disabled: true });
    expectKey(key);
    expect(key.hash).toBe(HASH);
  },
  delete: async (provider) => expect(["deleted", "absent"]).toContain(await provider.delete(HASH)),
  async current(provider) {
    const answer = await provider.current(new Secret(PLAINTEXT));
    expect([true, false]).toContain(answer.accepted);
    expectWithout(SHOWN_BY_A_VALUE, JSON.stringify(answer));
  },
  async attachments(provider) {
    for (const { id } of (await provider.attachments?.read(HASH)) ?? []) expect(id).toBeTypeOf("string");
    await provider.attachments?.put(HASH, [{ kind: "guardrail", id: "g1" }]);
  },
  async uncarried(provider) {
    for (const sentence of (await provider.uncarried?.(HASH)) ?? []) {
      expect(sentence.length).toBeLessThan(1_000);
      expectWithout(SHOWN_BY_A_VALUE, sentence);
    }
  },
};

function setUp(make: (typeof PROVIDERS)[string], events: readonly Event[]) {
  const clock = hastyClock();
  const { send, calls } = wire(events);
  const logged: string[] = [];
  const log: ProviderParts["log"] = (_level, message, data) => logged.push(message, JSON.stringify(data));
  return { provider: make(MANAGEMENT_KEY, {}, { send, clock, random, log }), clock, calls, logged };
}

describe.each(Object.entries(PROVIDERS))("whatever %s answers", (_name, make) => {
  test.each(Object.keys(METHODS))(
    "%s gives what it promises or an error that tells nothing secret",
    async (method) => {
      await fc.assert(
        fc.asyncProperty(server, async (events) => {
          const { provider, clock, calls, logged } = setUp(make, events);
          await outcome((METHODS[method] as (typeof METHODS)[string])(provider), SECRETS);
          expect(calls.length).toBeLessThan(method === "list" || method === "get" ? 8_000 : 100);
          const skew = provider.skewMs();
          expect(skew === undefined || Number.isFinite(skew)).toBe(true);
          expect(Number.isFinite(clock.waited())).toBe(true);
          expectWithout(SECRETS, logged.join("\n"));
        }),
        runs(25),
      );
    },
  );

  test("create sends once, and is refused for certain only by an answer that refuses", async () => {
    await fc.assert(
      fc.asyncProperty(server, async (events) => {
        const { provider, calls } = setUp(make, events);
        const { value, error } = await outcome(provider.create("prod/payments", {}), SECRETS);
        expect(calls).toEqual([{ method: "POST" }]);
        const [first] = events as [Event];
        const status = "body" in first ? first.status : undefined;
        if (value) {
          expect(status).toBeGreaterThanOrEqual(200);
          expect(status).toBeLessThan(300);
          expect(value.key.reveal()).toMatch(/^[\x21-\x7e]+$/);
          expect(value.issued.hash).toMatch(/^[\x21-\x7e]{1,256}$/);
        } else if (!mayHaveHappened(error)) {
          const refused = status !== undefined && status >= 400 && status < 500;
          expect(refused || error.code === "unreachable").toBe(true);
        }
      }),
      runs(50),
    );
  });

  test.each([
    "sk-or-v1-0123456789abcdef0123456789",
    "correct horse/battery+staple",
    `~~~~~${"Zq8".repeat(9)}`,
  ])(
    "a management key like %s that an answer echoes, in pieces or encoded, is not in the error",
    async (managementKey) => {
      const echoes = [
        managementKey,
        managementKey.slice(0, 14),
        managementKey.slice(-14),
        encodeURIComponent(managementKey),
        Buffer.from(`Bearer ${managementKey}`).toString("base64").slice(12, 36),
        Buffer.from(managementKey).toString("hex"),
      ];
      for (const echoed of echoes) {
        const body = JSON.stringify({
          error: { code: 400, message: `you sent "${echoed}", which is wrong` },
        });
        const send = async () => ({ status: 400, headers: { location: echoed }, body });
        const provider = make(managementKey, {}, { send, clock: hastyClock(), random });
        const { error } = await outcome(provider.create("a", {}), [managementKey, echoed]);
        expect(error?.message).toContain("you sent");
      }
    },
  );

  test.each([
    [
      "pages that always have one more",
      (page: number) => Array.from({ length: 100 }, (_, at) => ({ hash: `h${page * 100 + at}` })),
    ],
    ["one page over and over", () => Array.from({ length: 100 }, (_, at) => ({ hash: `h${at}` }))],
    ["empty pages that name a next one", () => []],
    [
      "pages that overlap by all but one",
      (page: number) => Array.from({ length: 100 }, (_, at) => ({ hash: `h${page + at}` })),
    ],
  ])("a list of %s comes to an end", async (_what, entries) => {
    const tokens = [() => undefined, (page: number) => `t${page}`, () => "same"];
    // OpenRouter's pages name no next one.
    for (const token of make === arouter ? tokens : tokens.slice(0, 1)) {
      let page = 0;
      const send = async () => {
        const data = entries(page);
        const next_page_token = token(page);
        page++;
        return { status: 200, headers: {}, body: JSON.stringify({ data, next_page_token }) };
      };
      const provider = make(MANAGEMENT_KEY, {}, { send, clock: hastyClock(), random });
      const { error } = await outcome(provider.list(), SECRETS);
      if (error) expect(error.code).toBe("malformed");
      expect(page).toBeLessThan(1_100);
    }
  });
});

test("a label that is no mask and a hash that is the key itself are not taken over", async () => {
  const answer = (data: object) => [
    { status: 201, headers: {}, body: JSON.stringify({ data, key: PLAINTEXT }) },
  ];
  const labelled = setUp(openRouter, answer({ hash: HASH, label: PLAINTEXT })).provider;
  expect((await labelled.create("a", {})).issued.label).toBeUndefined();
  for (const hash of [PLAINTEXT, "constructor", "__proto__", "..", "a b", "x".repeat(257)]) {
    const { error } = await outcome(setUp(openRouter, answer({ hash })).provider.create("a", {}), SECRETS);
    expect(error?.code).toBe("malformed");
  }
});

describe("over a real connection", () => {
  const chunk = Buffer.alloc(65_536, "x");
  const manners: Record<string, (socket: import("node:net").Socket) => void> = {
    "an endless body": (socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n");
      const pour = () => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.on("drain", pour);
      pour();
    },
    "headers without end": (socket) => void socket.end(`HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(50_000)}\r\n`),
    "bytes that are no HTTP": (socket) => void socket.end(Buffer.from([0, 1, 2, 255, 254, 13, 10, 13, 10])),
    "a body shorter than it says": (socket) =>
      void socket.end("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{}"),
    "two lengths": (socket) =>
      void socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}x"),
    "a chunk of no size": (socket) =>
      void socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}"),
    "gzip that is none": (socket) =>
      void socket.end("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nabcd"),
    "nothing but a close": (socket) => void socket.end(),
    "a reset": (socket) => void socket.resetAndDestroy(),
    "status 999": (socket) => void socket.end("HTTP/1.1 999 ?\r\ncontent-length: 0\r\n\r\n"),
    "a redirect to itself": (socket) =>
      void socket.end("HTTP/1.1 307 x\r\nlocation: /\r\ncontent-length: 0\r\n\r\n"),
  };
  const half = Object.entries(manners).map(([name, manner], at) => [name, manner, at % 2 === 0] as const);

  test.each(half)(
    "%s ends a create as one that may have happened, and a list in an error",
    async (_what, manner, first) => {
      const make = first ? openRouter : arouter;
      const serving = createServer().on("connection", (socket) => {
        socket
          .removeAllListeners("data")
          .on("error", () => {})
          .once("data", () => manner(socket));
      });
      const baseUrl = `http://127.0.0.1:${await listen(serving)}/api/v1`;
      const provider = make(MANAGEMENT_KEY, { baseUrl }, { clock: hastyClock(), random });
      const created = await outcome(provider.create("a", {}), SECRETS);
      expect(["unclear", "malformed"]).toContain(created.error?.code);
      const listed = await outcome(provider.list(), SECRETS);
      expect(["unclear", "malformed"]).toContain(listed.error?.code);
    },
  );
});

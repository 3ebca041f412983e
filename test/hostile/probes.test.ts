import { spawn } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/lib/errors.ts";
import type { DirectSend } from "../../src/lib/http-direct.ts";
import { sameFingerprint } from "../../src/lib/secret.ts";
import { createProbe } from "../../src/probes/create-probe.ts";
import type { Sweep } from "../../src/probes/probe.ts";
import { createReload } from "../../src/probes/reload.ts";
import {
  consumer,
  contract,
  deadPort,
  expected,
  NEW_KEY,
  OLD_KEY,
  realParts,
  serveRaw,
} from "../probes/support.ts";
import { anyJson, expectWithout, mutated, nested, outcome, runs, soup } from "./generators.ts";
import { hastyClock } from "./provider-answers.ts";

const PLAINTEXT = "sk-or-v1-plaintext0123456789abcdef";
const NEW_HEX = NEW_KEY.slice(7);
const VERDICTS = ["confirms", "holds", "other", "unwell", "silent"];

const ANSWERS = [
  contract(NEW_KEY),
  contract(NEW_KEY, { instance: "p-1", holding: [NEW_KEY] }),
  contract(NEW_KEY, { holding: [OLD_KEY] }),
  contract(OLD_KEY),
  JSON.stringify({
    status: "ok",
    keys: { "payments-api": { serving: NEW_KEY }, payments: { serving: OLD_KEY } },
  }),
].map((text) => JSON.parse(text) as unknown);
const odd = fc.constantFrom<unknown>(
  NEW_KEY,
  OLD_KEY,
  NEW_HEX.slice(0, 16),
  NEW_HEX.slice(0, 15),
  OLD_KEY.toUpperCase(),
  ` ${NEW_KEY}\n`,
  [OLD_KEY],
  { serving: OLD_KEY },
  PLAINTEXT,
  `\u001b[31m${PLAINTEXT}`,
  `p\r\n${PLAINTEXT}${"x".repeat(500)}`,
  "ok",
);
const body: fc.Arbitrary<string> = fc.oneof(
  {
    arbitrary: fc
      .constantFrom(...ANSWERS)
      .chain((real) => mutated(real, fc.oneof(odd, anyJson)).map((json) => JSON.stringify(json) ?? "")),
    weight: 8,
  },
  { arbitrary: fc.constantFrom(...ANSWERS.map((real) => JSON.stringify(real))), weight: 2 },
  {
    arbitrary: soup(
      ["{", "}", '"keys":', '"status":"ok"', NEW_KEY, OLD_KEY, PLAINTEXT, ",", "\u0000", "\u202e"],
      12,
    ),
    weight: 2,
  },
  {
    arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString("utf8")),
    weight: 1,
  },
  {
    arbitrary: fc.constantFrom(
      "",
      nested(20_000),
      `{"status":"ok","keys":{"payments-api":${nested(10_000)}}}`,
    ),
    weight: 1,
  },
);
const status = fc.oneof(
  { arbitrary: fc.constant(200), weight: 4 },
  { arbitrary: fc.integer({ min: 0, max: 999 }), weight: 1 },
);
const headers = fc.dictionary(
  fc.constantFrom("x-key", "x-other", "__proto__", "content-type"),
  fc.constantFrom(NEW_KEY, OLD_KEY, PLAINTEXT, ""),
);
const answer = fc.oneof(
  { arbitrary: fc.record({ status, headers, body }), weight: 9 },
  {
    arbitrary: fc
      .constantFrom("unreachable" as const, "unclear" as const, "malformed" as const, "unusable" as const)
      .map(
        (code) => new RotationError(code, `host sent ${PLAINTEXT}\u0007`, { hint: `look\nat ${PLAINTEXT}` }),
      ),
    weight: 1,
  },
);

function expectBounded(sweep: Sweep): void {
  for (const { instance, detail, verdict, serving } of sweep.instances) {
    expect(VERDICTS).toContain(verdict);
    expect(detail.length).toBeLessThanOrEqual(200);
    expect(instance.length).toBeLessThanOrEqual(200);
    expect(serving?.length ?? 0).toBeLessThanOrEqual(71);
  }
  const shown = [
    sweep.problem,
    ...sweep.instances.flatMap(({ instance, detail }) => [instance, detail]),
  ].join("");
  expect(shown).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  expectWithout([PLAINTEXT, PLAINTEXT.slice(9, 30)], JSON.stringify(sweep));
}

/** Every string in a document, as deep as an answer could tell anything. */
function texts(value: unknown, depth = 0): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || depth > 20) return [];
  return Object.values(value).flatMap((inner) => texts(inner, depth + 1));
}

function keysIn(body: string): object {
  try {
    return Object(JSON.parse(body).keys);
  } catch {
    return {};
  }
}

/** Whether an answer names the new key somewhere, and the old one nowhere where a key of this name is told. */
function mayConfirm(status: number, body: string): boolean {
  if (status < 200 || status > 299) return false;
  const keys = keysIn(body);
  const entries = ["payments-api", "payments"].flatMap((name) =>
    Object.hasOwn(keys, name) ? [(keys as Record<string, unknown>)[name]] : [],
  );
  const told = entries.flatMap((entry) => texts(entry));
  const held = entries.flatMap((entry) => {
    const { serving, holding } = Object(entry) as { serving?: unknown; holding?: unknown };
    return texts([serving, holding]);
  });
  return (
    told.some((text) => sameFingerprint(text, NEW_KEY)) &&
    !held.some((text) => sameFingerprint(text, OLD_KEY))
  );
}

const probing = (probe: object, send: DirectSend) =>
  createProbe(consumer(probe), { ...realParts(), send, clock: hastyClock() });

describe("whatever a consumer answers", () => {
  test("by the contract, only the new key and none that goes confirms, and what is shown is bounded", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(answer, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(1, 2),
        async (answers, instances) => {
          let asked = 0;
          const send: DirectSend = async () => {
            const one = answers[asked++ % answers.length] as (typeof answers)[number];
            if (one instanceof RotationError) throw one;
            return one;
          };
          const sweep = await probing({ http: "http://payments:8080/healthz", instances }, send).sweep(
            expected,
          );
          expectBounded(sweep);
          if (!sweep.instances.some(({ verdict }) => verdict === "confirms")) return;
          expect(
            answers.some((one) => !(one instanceof RotationError) && mayConfirm(one.status, one.body)),
          ).toBe(true);
          const [first] = answers as [(typeof answers)[number]];
          if (instances === 1)
            expect(first instanceof RotationError || mayConfirm(first.status, first.body)).toBe(true);
        },
      ),
      runs(150),
    );
  });

  const EXPECTATIONS = [
    { json: { "/keys/payments-api/serving": "{fingerprint}" } },
    { json: { "/keys/payments-api/serving": "{fingerprint}", "/status": "ok" }, status: [200, 204] },
    { body: "{fingerprint}" },
    { headers: { "X-Key": "{fingerprint}" } },
    { body: "ok {hash} {label} {version}" },
  ];
  test("by what the policy expects, only an answer that names the new key and not the old one confirms", async () => {
    await fc.assert(
      fc.asyncProperty(answer, fc.constantFrom(...EXPECTATIONS), async (one, expect_) => {
        const send: DirectSend = async () => {
          if (one instanceof RotationError) throw one;
          return one;
        };
        const sweep = await probing({ http: "http://payments:8080/", expect: expect_ }, send).sweep(expected);
        expectBounded(sweep);
        const verdict = sweep.instances[0]?.verdict;
        if (verdict !== "confirms" || one instanceof RotationError) return;
        const shown = `${one.body} ${Object.values(one.headers).join(" ")}`.toLowerCase();
        expect([200, 204]).toContain(one.status);
        expect(shown).toContain(NEW_HEX.slice(0, 16));
        expect(shown).not.toContain(OLD_KEY.slice(7));
      }),
      runs(150),
    );
  });

  test("a reload hook that answers anything succeeds or fails with a code", async () => {
    await fc.assert(
      fc.asyncProperty(answer, async (one) => {
        const send: DirectSend = async () => {
          if (one instanceof RotationError) throw one;
          return one;
        };
        const parts = { ...realParts(), send, clock: hastyClock() };
        const target = consumer({ http: "http://a/" }, { http: "http://a/reload" });
        const { error } = await outcome(createReload(target, parts)?.run(expected) ?? Promise.reject(), [
          PLAINTEXT,
        ]);
        expect(error === undefined).toBe(
          !(one instanceof RotationError) && one.status >= 200 && one.status <= 299,
        );
      }),
      runs(60),
    );
  });
});

test("an earlier name under which the outgoing key is still in use keeps an instance from confirming", async () => {
  for (const payments of [{ serving: OLD_KEY }, { serving: NEW_KEY, holding: [OLD_KEY] }]) {
    const keys = { "payments-api": { serving: NEW_KEY }, payments };
    const send: DirectSend = async () => ({
      status: 200,
      headers: {},
      body: JSON.stringify({ status: "ok", keys }),
    });
    const { instances } = await probing({ http: "http://a/" }, send).sweep(expected);
    expect(instances).toMatchObject([{ verdict: "holds" }]);
  }
});

test("an answer of the expected shape that also names the outgoing key holds it", async () => {
  const body = JSON.stringify({ now: NEW_KEY, before: OLD_KEY });
  const send: DirectSend = async () => ({ status: 200, headers: {}, body });
  const probe = probing({ http: "http://a/", expect: { json: { "/now": "{fingerprint}" } } }, send);
  expect((await probe.sweep(expected)).instances).toMatchObject([{ verdict: "holds" }]);
});

describe("on a real wire", () => {
  const manners: Record<string, string | Buffer> = {
    "bytes that are no HTTP": Buffer.from([0, 255, 254, 13, 10, 13, 10]),
    "headers without end": `HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(50_000)}\r\n`,
    "a body of a mebibyte": `HTTP/1.1 200 OK\r\ncontent-length: 1048576\r\n\r\n${"x".repeat(1_048_576)}`,
    "a body shorter than it says": "HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{}",
    "a header that colours": `HTTP/1.1 200 \u001b[31m${PLAINTEXT}\r\ncontent-length: 0\r\n\r\n`,
    nothing: "",
  };
  test.each(Object.entries(manners))("%s confirms nothing", async (_what, bytes) => {
    const port = await serveRaw(
      (socket) => void socket.once("data", () => socket.end(bytes)).on("error", () => {}),
    );
    const sweep = await createProbe(consumer({ http: `http://127.0.0.1:${port}/` }), realParts()).sweep(
      expected,
    );
    expectBounded(sweep);
    expect(["unwell", "silent"]).toContain(sweep.instances[0]?.verdict);
    expect(await deadPort()).not.toBe(port);
  });
});

test("a command that prints anything gives a verdict by its exit status, and a bounded line", async () => {
  const output = fc.oneof(
    soup(
      [
        PLAINTEXT,
        "\n",
        "\r",
        "\u001b[2J",
        "\u0000",
        `${PLAINTEXT.slice(0, 12)}`,
        "ok",
        `Bearer ${PLAINTEXT}`,
        "x".repeat(5_000),
      ],
      6,
    ).map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
  );
  const script =
    "process.stdout.write(Buffer.from(process.argv[1], 'base64')); process.exitCode = Number(process.argv[2])";
  await fc.assert(
    fc.asyncProperty(output, fc.constantFrom(0, 1, 2, 77), async (bytes, code) => {
      const exec = [process.execPath, "-e", script, bytes.toString("base64"), String(code)];
      const parts = { ...realParts(), run: spawn };
      const sweep = await createProbe(consumer({ exec, timeout: "30s" }), parts).sweep(expected);
      expectBounded(sweep);
      expect(sweep.instances[0]?.verdict).toBe(code === 0 ? "confirms" : code === 1 ? "other" : "unwell");
    }),
    runs(4),
  );
});

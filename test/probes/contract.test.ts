import { expect, test } from "vitest";
import { judgeContract } from "../../src/probes/contract.ts";
import { contract, expected, NEW_KEY, OLD_KEY } from "./support.ts";

const judge = (body: string, status = 200) => judgeContract({ status, headers: {}, body }, expected);
const OTHER = `sha256:${"ab".repeat(32)}`;

test("an instance that serves the new key and holds no old one confirms", () => {
  expect(judge(contract(NEW_KEY, { instance: "p-1", holding: [] }))).toMatchObject({
    verdict: "confirms",
    serving: NEW_KEY,
    instance: "p-1",
  });
  expect(judge(contract(NEW_KEY)).verdict).toBe("confirms");
  expect(judge(contract(NEW_KEY, { holding: [NEW_KEY, OTHER] })).verdict).toBe("confirms");
});

test.each([16, 40, 64])("a fingerprint shortened to %i digits counts, with and without sha256:", (digits) => {
  const hex = NEW_KEY.slice(7, 7 + digits);
  expect(judge(contract(hex)).verdict).toBe("confirms");
  expect(judge(contract(`SHA256:${hex.toUpperCase()}`)).verdict).toBe("confirms");
});

test("fifteen digits are no fingerprint", () => {
  expect(judge(contract(NEW_KEY.slice(0, 22))).verdict).toBe("unwell");
});

test("an instance that still holds the old key, shortened too, does not confirm", () => {
  expect(judge(contract(NEW_KEY, { holding: [OLD_KEY] }))).toMatchObject({ verdict: "holds" });
  expect(judge(contract(NEW_KEY, { holding: [OTHER, OLD_KEY.slice(7, 23)] }))).toMatchObject({
    verdict: "holds",
  });
});

test("an instance that serves the old key is said to do so", () => {
  expect(judge(contract(OLD_KEY))).toMatchObject({
    verdict: "other",
    detail: expect.stringContaining("still serves"),
  });
});

test("an instance that serves some other key shows which, shortened", () => {
  expect(judge(contract(OTHER))).toMatchObject({
    verdict: "other",
    detail: "serves another key sha256:abababababab…",
  });
});

test("an instance without a key is well and serves another", () => {
  expect(judge(contract(null))).toMatchObject({ verdict: "other", detail: "has no key yet" });
});

test("an earlier name of the key is found, the present one first", () => {
  expect(judge(contract(NEW_KEY, { name: "payments" })).verdict).toBe("confirms");
  const both = JSON.stringify({
    status: "ok",
    keys: { payments: { serving: NEW_KEY }, "payments-api": { serving: OLD_KEY } },
  });
  expect(judge(both).verdict).toBe("other");
});

test("a missing entry names the keys that were found, but nothing that is no key name", () => {
  const body = JSON.stringify({ status: "ok", keys: { billing: {}, [`sk-or-v1-${"a".repeat(64)}`]: {} } });
  expect(judge(body)).toMatchObject({
    verdict: "unwell",
    detail: "keys has no payments-api, only billing, 1 more",
  });
});

test("names that every object has are not taken for entries", () => {
  const { verdict } = judgeContract(
    { status: 200, headers: {}, body: '{"status":"ok","keys":{}}' },
    { ...expected, keyNames: ["constructor", "__proto__"] },
  );
  expect(verdict).toBe("unwell");
});

test("an error status is unwell whatever the body says", () => {
  expect(judge(contract(NEW_KEY, { instance: "p-1" }), 503)).toMatchObject({
    verdict: "unwell",
    instance: "p-1",
  });
  expect(judge('{"status":"waiting"}', 503).detail).toBe('HTTP 503, status "waiting"');
  expect(judge(contract(NEW_KEY), 302).verdict).toBe("unwell");
});

test.each([
  ["a status that is not ok", '{"status":"draining","keys":{}}'],
  ["no status", `{"keys":{"payments-api":{"serving":"${NEW_KEY}"}}}`],
  ["nothing", ""],
  ["text", "OK"],
  ["a list", "[]"],
  ["null", "null"],
  ["keys of a wrong type", '{"status":"ok","keys":[]}'],
  ["an entry of a wrong type", '{"status":"ok","keys":{"payments-api":"x"}}'],
  ["an entry without serving", '{"status":"ok","keys":{"payments-api":{}}}'],
  ["serving of a wrong type", contract(["x"])],
  ["holding of a wrong type", contract(NEW_KEY, { holding: "none" })],
  ["holding with what is no fingerprint", contract(NEW_KEY, { holding: [null] })],
  [
    "an instance of a wrong type",
    `{"status":"ok","instance":{},"keys":{"payments-api":{"serving":"${NEW_KEY}"}}}`,
  ],
  ["brackets without end", "[".repeat(65_000)],
  ["objects nested deep", `${'{"keys":'.repeat(8_000)}1${"}".repeat(8_000)}`],
])("%s is unwell", (_, body) => {
  expect(judge(body).verdict).toBe("unwell");
});

test("a key given in place of its fingerprint is not repeated", () => {
  expect(JSON.stringify(judge(contract("sk-or-v1-new", { holding: ["sk-or-v1-old"] })))).not.toContain(
    "sk-or",
  );
  expect(JSON.stringify(judge(contract("sk-or-v1-new")))).not.toContain("sk-or");
});

import { expect, test } from "vitest";
import type { Expectation } from "../../src/policy/schema.ts";
import { judgeExpectation } from "../../src/probes/expectation.ts";
import { expected, NEW_KEY, OLD_KEY } from "./support.ts";

const judge = (expectation: Expectation, body: unknown, status = 200, headers = {}) =>
  judgeExpectation(
    { status, headers, body: typeof body === "string" ? body : JSON.stringify(body) },
    expectation,
    expected,
  );

test("a JSON pointer expected to be the fingerprint takes it full, bare or shortened", () => {
  const at = { json: { "/llm/key": "{fingerprint}" } };
  for (const said of [NEW_KEY, NEW_KEY.slice(7), NEW_KEY.slice(7, 23)]) {
    expect(judge(at, { llm: { key: said } })).toMatchObject({ verdict: "confirms", serving: said });
  }
});

test("another fingerprint there is another key, and the old one is named as such", () => {
  const at = { json: { "/llm/key": "{fingerprint}" } };
  expect(judge(at, { llm: { key: OLD_KEY } })).toMatchObject({
    verdict: "other",
    detail: expect.stringContaining("still serves"),
  });
  expect(judge(at, { llm: { key: "sk-or-v1-old" } })).toMatchObject({
    verdict: "other",
    detail: "no fingerprint at /llm/key",
  });
  expect(judge(at, { llm: {} })).toMatchObject({ verdict: "other", detail: "nothing at /llm/key" });
});

test("other values are compared exactly, by type as well", () => {
  const json = { "/hash": "{hash}", "/v": "version {version}", "/n": 2, "/ready": true, "/error": null };
  const fits = { hash: "f00d", v: "version v2", n: 2, ready: true, error: null };
  expect(judge({ json }, fits).verdict).toBe("confirms");
  for (const change of [
    { hash: "f00" },
    { v: "version v1" },
    { n: "2" },
    { ready: "true" },
    { error: false },
  ]) {
    expect(judge({ json }, { ...fits, ...change }).verdict).toBe("other");
  }
});

test("the status is 200 unless the policy says otherwise, and a wrong one is unwell", () => {
  expect(judge({}, "").verdict).toBe("confirms");
  expect(judge({}, "", 204)).toMatchObject({ verdict: "unwell", detail: "HTTP 204, expected 200" });
  expect(judge({ status: [200, 204] }, "", 204).verdict).toBe("confirms");
  expect(judge({ status: 418, json: { "/a": 1 } }, { a: 1 }, 418).verdict).toBe("confirms");
});

test("headers are found in any case and compared exactly", () => {
  const expectation = { headers: { "X-Key-Hash": "{hash}" } };
  expect(judge(expectation, "", 200, { "x-key-hash": "f00d" }).verdict).toBe("confirms");
  expect(judge(expectation, "", 200, { "x-key-hash": "f00dd" }).verdict).toBe("other");
  expect(judge(expectation, "", 200).verdict).toBe("other");
});

test("the body must contain the text", () => {
  expect(judge({ body: "key={label};" }, `a key=${expected.label}; b`).verdict).toBe("confirms");
  expect(judge({ body: "key={label};" }, "key=;").verdict).toBe("other");
});

test("every part must fit", () => {
  const expectation = { json: { "/h": "{hash}" }, body: "ready" };
  expect(judge(expectation, { h: "f00d", s: "ready" }).verdict).toBe("confirms");
  expect(judge(expectation, { h: "f00d" }).verdict).toBe("other");
  expect(judge(expectation, { h: "", s: "ready" }).verdict).toBe("other");
});

test("a body that should be JSON and is none is unwell", () => {
  expect(judge({ json: { "/a": 1 } }, "<html>")).toMatchObject({
    verdict: "unwell",
    detail: "the answer is no JSON",
  });
});

import { spawn } from "node:child_process";
import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type DemoProof, holds, proofLines } from "../../src/commands/render/proof.ts";
import { CLI, rotate } from "./run.ts";

/** What would lead the demo astray if it looked. */
const ASTRAY = {
  KEYTURN_POLICY: "/nowhere/rotation.yaml",
  KEYTURN_STORE: "/nowhere/store",
  OPENROUTER_BASE_URL: "http://127.0.0.1:9/api/v1",
  HTTPS_PROXY: "http://127.0.0.1:9",
  HTTP_PROXY: "http://127.0.0.1:9",
};
const HASH = /^[0-9a-f]{64}$/;

describe.concurrent("rotate demo", { timeout: 60_000 }, () => {
  it("rotates a key under live traffic and proves in a few lines that nothing failed", async () => {
    const cwd = await mkdtemp(join(tmpdir(), "keyturn-demo-"));
    const { status, stdout, stderr } = await rotate(["demo"], { cwd, env: ASTRAY });

    expect(status).toBe(0);
    const lines = stdout.split("\n");
    expect(lines.length).toBeLessThan(15);
    expect(lines[0]).toBe("payments-api was rotated under live traffic and no request failed.");
    expect(stdout).toMatch(
      /^ {2}requests {2}\d{2,} sent during the rotation \(payments \d+, billing \d+\), 0 failed$/m,
    );
    expect(stdout).toMatch(
      /^ {2}before {4}1 key at the provider: keyturn\/default\/payments-api\/\S+ \(sk-or-v1-\S+\)$/m,
    );
    expect(stdout).toMatch(/^ {2}after {5}1 key at the provider: keyturn\/default\/payments-api\//m);
    expect(stdout).toMatch(/^ {2}deleted {3}[0-9a-f]{64}, and refused by the provider \(HTTP 401\)$/m);
    expect(stdout).toMatch(/^ {2}took {6}\d+s$/m);
    expect(stdout).toMatch(/rotate plan; then: rotate --now/);
    for (const phase of ["staged", "verified", "promoted", "confirmed", "disabled", "completed"]) {
      expect(stderr).toMatch(new RegExp(`^ +\\d+\\.\\ds {2}${phase} `, "m"));
    }
    expect(await readdir(cwd)).toEqual([]);
  });

  it("gives the proof as JSON, also where Node itself was told to use a proxy", async () => {
    const { status, stdout } = await rotate(["demo", "--json"], {
      env: { ...ASTRAY, NODE_USE_ENV_PROXY: "1" },
    });

    expect(status).toBe(0);
    const proof: DemoProof = JSON.parse(stdout);
    expect(proof).toMatchObject({ outcome: "deleted", requests: { failed: 0 }, oldKey: { status: 401 } });
    expect(proof.consumers.map(({ name }) => name)).toEqual(["payments", "billing"]);
    for (const { sent } of proof.consumers) expect(sent).toBeGreaterThan(0);
    expect(proof.keysBefore.map(({ hash }) => hash)).toEqual([proof.oldKey.hash]);
    expect(proof.keysAfter).toEqual([
      { hash: expect.stringMatching(HASH), name: expect.any(String), label: expect.any(String) },
    ]);
    expect(proof.keysAfter[0]?.hash).not.toBe(proof.oldKey.hash);
    expect(stdout).not.toMatch(/sk-or-v1-[0-9a-f]{64}/);
  });

  it("ends early upon a signal, as a failure, with a word about it", async () => {
    const child = spawn(process.execPath, [CLI, "demo"], { env: { PATH: process.env.PATH } });
    const ended = new Promise((resolve) => child.once("close", resolve));
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    for await (const text of child.stderr.setEncoding("utf8")) {
      if (!/promoted/.test(stderr) && /promoted/.test(stderr + text)) child.kill("SIGINT");
      stderr += text;
    }
    expect(await ended).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/the demo was interrupted/);
  });
});

describe("the proof", () => {
  const key = (hash: string) => ({ hash, name: `key ${hash}`, label: `sk-or-v1-${hash}` });
  const good: DemoProof = {
    key: "payments-api",
    outcome: "deleted",
    message: "rotated",
    requests: { sent: 10, failed: 0 },
    consumers: [
      { name: "payments", sent: 6, failed: 0, failures: [] },
      { name: "billing", sent: 4, failed: 0, failures: [] },
    ],
    keysBefore: [key("k1")],
    keysAfter: [key("k2")],
    oldKey: { hash: "k1", status: 401 },
    tookMs: 7_000,
  };
  const text = (proof: DemoProof) => proofLines(proof, "rotation.yaml", (_, word) => word).join("\n");

  it.each<[string, Partial<DemoProof>]>([
    ["a failed request", { requests: { sent: 10, failed: 1 } }],
    ["a rotation that was held", { outcome: "held" }],
    ["an old key that still answers", { oldKey: { hash: "k1", status: 200 } }],
    ["a key left behind", { keysAfter: [key("k1"), key("k2")] }],
    ["a key that was not replaced", { keysAfter: [key("k1")] }],
  ])("does not hold with %s", (_, change) => {
    expect(holds(good)).toBe(true);
    expect(holds({ ...good, ...change })).toBe(false);
  });

  it("does not hold where the store shows something else than it should", () => {
    const exhibit = { holds: false, rows: [{ cells: ["  secret", "two current versions"] }], json: {} };
    expect(holds(good, exhibit)).toBe(false);
    expect(holds(good, { ...exhibit, holds: true })).toBe(true);
    const lines = proofLines(good, "rotation.yaml", (_, word) => word, exhibit).join("\n");
    expect(lines).toMatch(/^payments-api was rotated, but not as it should be\.$/m);
    expect(lines).toMatch(/^ {2}secret {4}two current versions$/m);
  });

  it("lists why requests failed", () => {
    const failures = ["HTTP 401 with key sha256:a", "HTTP 401 with key sha256:a", "no connection"];
    const lines = text({
      ...good,
      requests: { sent: 10, failed: 3 },
      consumers: [{ name: "payments", sent: 10, failed: 3, failures }],
    });
    expect(lines).toMatch(/^payments-api was rotated, but not as it should be\.$/m);
    expect(lines).not.toMatch(/Next:/);
    expect(lines).toMatch(/10 sent during the rotation \(payments 10\), 3 failed/);
    expect(lines).toMatch(/2 × HTTP 401 with key sha256:a/);
    expect(lines).toMatch(/1 × no connection/);
  });
});

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { judgePolicy, PolicyError } from "../../src/policy/load.ts";

const KEYS = `
version: 1
providers: { openrouter: { type: openrouter, managementKey: { env: MANAGEMENT_KEY } } }
stores: { local: { type: file, path: ./secrets } }
keys:
  - name: payments-api
    provider: openrouter
    schedule: { every: 30d }
    store: { use: local, secret: payments-api }
    consumers: [{ name: payments, probe: { http: "http://127.0.0.1:8081/healthz" } }]
`;

async function serverOf(server: string, KEYTURN_SERVER?: string) {
  const file = join(import.meta.dirname, "rotation.yaml");
  const { policy } = await judgePolicy(file, `${KEYS}${server}`, { KEYTURN_SERVER });
  return policy.server;
}

describe("where a worker answers", () => {
  it("is nowhere unless the policy or the environment says so", async () => {
    expect(await serverOf("")).toBeUndefined();
    expect(await serverOf("", "")).toBeUndefined();
  });

  it("is what KEYTURN_SERVER says when the policy says nothing", async () => {
    expect(await serverOf("", "0.0.0.0:9090")).toEqual({ address: "0.0.0.0", port: 9090 });
    expect(await serverOf("", "[::]:8080")).toEqual({ address: "::", port: 8080 });
  });

  it("is what the policy says, and what it leaves out is KEYTURN_SERVER's", async () => {
    expect(await serverOf("server: { port: 9000 }", "0.0.0.0:8080")).toEqual({
      address: "0.0.0.0",
      port: 9000,
    });
    expect(await serverOf("server: { address: 127.0.0.1 }", "0.0.0.0:9090")).toEqual({
      address: "127.0.0.1",
      port: 9090,
    });
  });

  it("keeps the policy's token", async () => {
    const token = { env: "PAGE_TOKEN" };
    expect(await serverOf("server: { token: { env: PAGE_TOKEN } }", "0.0.0.0:8080")).toMatchObject({ token });
  });

  it.each(["8080", "0.0.0.0", ":8080", "0.0.0.0:80800", "http://0.0.0.0:8080"])(
    "is not %s: that is a fault, told with the others",
    async (text) => {
      try {
        expect.unreachable(JSON.stringify(await serverOf("", text)));
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(PolicyError);
        expect((thrown as PolicyError).faults).toMatchObject([{ path: "server" }]);
        expect((thrown as PolicyError).faults[0]?.message).toContain("KEYTURN_SERVER");
      }
    },
  );
});

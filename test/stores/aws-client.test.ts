import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { awsStore } from "../../src/stores/aws/store.ts";
import { CREDENTIALS, secretsManagerApi } from "../aws/handler.ts";
import { SecretsManagerModel } from "../aws/model.ts";
import { virtualClock } from "../providers/virtual-clock.ts";
import { AWS_CONFIG } from "./aws-bench.ts";
import { refusal } from "./aws-world.ts";

const REF = { secret: "prod/payments" };

beforeEach(() => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", CREDENTIALS.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", CREDENTIALS.secretAccessKey);
});
afterEach(() => void vi.unstubAllEnvs());

it("the SDK is loaded with the first call, and not before", () => {
  const program = `
    import { createRequire } from "node:module";
    import { systemClock } from ${JSON.stringify(join(import.meta.dirname, "../../src/lib/clock.ts"))};
    import { systemRandom } from ${JSON.stringify(join(import.meta.dirname, "../../src/lib/random.ts"))};
    import { awsStore } from ${JSON.stringify(join(import.meta.dirname, "../../src/stores/aws/store.ts"))};
    const loaded = () => Object.keys(createRequire("file:///").cache).some((path) => path.includes("@aws-sdk"));
    const endpoint = "http://127.0.0.1:9";
    const store = awsStore("aws", { type: "aws-secrets-manager", region: "eu-west-1", endpoint }, { clock: { ...systemClock, sleep: async () => {} }, random: systemRandom });
    const before = loaded();
    await store.observe({ secret: "a" }).catch(() => {});
    console.log(before, loaded());
  `;
  const said = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  expect(said.trim()).toBe("false true");
});

it("HTTP_PROXY and NO_PROXY are honoured", async () => {
  const model = new SecretsManagerModel({ clock: systemClock });
  const api = secretsManagerApi(model);
  const asked: string[] = [];
  const proxy = createServer(async (incoming, outgoing) => {
    asked.push(incoming.url ?? "");
    const body = Buffer.concat(await incoming.toArray());
    const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [
      name,
      String(value),
    ]);
    const response = await api(new Request(incoming.url ?? "", { method: "POST", headers, body }));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(await response.text());
  });
  const url = await listen(proxy);
  const endpoint = "http://secretsmanager.invalid";
  const open = (env: Record<string, string>) =>
    awsStore(
      "aws",
      { ...AWS_CONFIG, region: "eu-west-1", endpoint },
      { clock: virtualClock(), random: systemRandom, env },
    );
  expect((await open({ HTTP_PROXY: url }).observe(REF)).base).toBe("absent");
  expect(new Set(asked)).toEqual(new Set(["http://secretsmanager.invalid/"]));
  expect(await refusal(open({ HTTP_PROXY: url, NO_PROXY: "secretsmanager.invalid" }).observe(REF))).toMatch(
    /^unreachable: .*(ENOTFOUND|EAI_AGAIN)/,
  );
});

it("HTTPS_PROXY is asked for AWS's own endpoint, and what it refuses is said", async () => {
  const tunnels: string[] = [];
  const proxy = createServer().on("connect", (request, socket) => {
    tunnels.push(request.url ?? "");
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  const env = { HTTPS_PROXY: await listen(proxy) };
  const store = awsStore(
    "aws",
    { ...AWS_CONFIG, region: "eu-west-1" },
    { clock: virtualClock(), random: systemRandom, env },
  );
  expect(await refusal(store.observe(REF))).toMatch(
    /^unreachable: .* made no connection: the proxy refused it .*\ncheck HTTPS_PROXY, its credentials and NO_PROXY/,
  );
  expect(new Set(tunnels)).toEqual(new Set(["secretsmanager.eu-west-1.amazonaws.com:443"]));
});

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

import { spawn } from "node:child_process";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { inspect } from "node:util";
import { afterEach, expect, it } from "vitest";
import { useProxyFromEnv } from "../../src/lib/proxy.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A proxy that reaches every name at `target`, or refuses with `refuse`, and what it was asked for. */
async function proxy(target: string, refuse?: number): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer();
  server.on("connect", (request, client) => {
    asked.push(`CONNECT ${request.url}`);
    if (refuse) return client.end(`HTTP/1.1 ${refuse} Refused\r\n\r\n`);
    const [host, port] = target.split(":");
    const upstream = connect(Number(port), host, () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      client.pipe(upstream).pipe(client);
    });
    upstream.on("error", () => client.destroy());
    client.on("error", () => upstream.destroy());
  });
  return { url: `http://${await listen(server)}`, asked };
}

/** A program of its own, since a proxy is set for a whole process. */
async function callFromChild(url: string, env: Record<string, string>): Promise<string> {
  const script = `
    import { useProxyFromEnv } from ${JSON.stringify(new URL("../../src/lib/proxy.ts", import.meta.url).href)};
    import { fetchSend } from ${JSON.stringify(new URL("../../src/lib/http-fetch.ts", import.meta.url).href)};
    useProxyFromEnv(process.env);
    const call = fetchSend()({ method: "GET", url: ${JSON.stringify(url)}, timeoutMs: 10000, maxBytes: 1000 });
    console.log(await call.then((answer) => answer.body, (error) => error.code + " " + error.message + " " + error.hint));`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    env: { PATH: process.env.PATH ?? "", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return (await text(child.stdout)).trim();
}

it("reaches a name that only the proxy knows, through HTTP_PROXY", async () => {
  const target = await listen(createServer((_, response) => response.end("the target")));
  const { url, asked } = await proxy(target);
  const answer = await callFromChild("http://api.invalid/key", { HTTP_PROXY: url });
  expect(asked).toEqual(["CONNECT api.invalid:80"]);
  expect(answer).toBe("the target");
});

it("opens a tunnel through https_proxy, and says unreachable when the proxy refuses it", async () => {
  const { url, asked } = await proxy("", 407);
  const answer = await callFromChild("https://api.invalid/key", { https_proxy: url });
  expect(asked).toEqual(["CONNECT api.invalid:443"]);
  expect(answer).toMatch(/^unreachable .*the proxy answered 407.*HTTPS_PROXY/);
});

it("goes direct where NO_PROXY says so", async () => {
  const target = await listen(createServer((_, response) => response.end("the target")));
  const { url, asked } = await proxy(target);
  const answer = await callFromChild(`http://${target}/`, { HTTP_PROXY: url, NO_PROXY: "127.0.0.1" });
  expect(answer).toBe("the target");
  expect(asked).toEqual([]);
});

it("refuses to go around a proxy on a Node that cannot use one", () => {
  expect(() => useProxyFromEnv({ HTTPS_PROXY: "http://proxy:3128" }, {})).toThrow(
    expect.objectContaining({ code: "unusable", hint: expect.stringContaining("24.14") }),
  );
});

it("leaves a Node alone that has no proxy to use, or was told to use it at its start", () => {
  useProxyFromEnv({ NO_PROXY: "*" }, {});
  useProxyFromEnv({ HTTPS_PROXY: "http://proxy:3128", NODE_USE_ENV_PROXY: "1" }, {});
});

it("does not quote a proxy that is no URL, as it may hold a password", () => {
  let thrown: unknown;
  try {
    useProxyFromEnv({ HTTPS_PROXY: "ht!tp://user:s3cret@" });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code: "unusable" });
  expect(inspect(thrown, { depth: 9 })).not.toContain("s3cret");
});

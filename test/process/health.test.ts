import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { session } from "./transcript.ts";
import { startWorld, type World } from "./world.ts";

describe("rotate health", () => {
  let world: World;
  /** In place of a worker; answers by path. */
  const answers = new Map<string, { status: number; body: string }>();
  const server = createServer(({ url = "" }, response) => {
    const { status, body } = answers.get(url) ?? { status: 404, body: "{}" };
    response.writeHead(status).end(body);
  });
  const address = () => `127.0.0.1:${(server.address() as AddressInfo).port}`;
  beforeAll(async () => {
    world = await startWorld({ provisioned: false });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(async () => {
    server.close();
    await world[Symbol.asyncDispose]();
  });

  const said = async (args: string[], env: NodeJS.ProcessEnv = {}) =>
    (await session(world, ["health", ...args], { env })).replaceAll(address(), "WORKER");

  test("of a worker that is alive and cannot work", async () => {
    answers.set("/healthz", { status: 200, body: '{ "status": "ok" }' });
    const problems = '{ "status": "failing", "problems": ["the journal cannot be read"] }';
    answers.set("/readyz", { status: 503, body: problems });
    const env = { KEYTURN_SERVER: address() };
    expect(await said([], env)).toBe("$ rotate health\nok\nexit 0");
    expect(await said(["--ready"], env)).toBe(
      "$ rotate health --ready\nfailing\nthe journal cannot be read\nexit 1",
    );
  });

  test("is asked where the worker is while the policy's file is refused", async () => {
    const args = ["--policy", "/nowhere/rotation.yaml"];
    expect(await said(args, { KEYTURN_SERVER: address() })).toContain("ok\nexit 0");
    expect(await said(args)).toContain("exit 2");
  });

  test("where nobody answers, or somebody else does", async () => {
    expect(await said([])).toMatchInlineSnapshot(`
      "$ rotate health
      | rotate: by the policy the worker answers nowhere
      |   name its address: rotate health --url http://127.0.0.1:8080
      exit 2"
    `);
    expect(await said([], { KEYTURN_SERVER: "127.0.0.1:1" })).toMatchInlineSnapshot(`
      "$ rotate health
      | rotate: no connection to 127.0.0.1:1 (ECONNREFUSED)
      exit 1"
    `);
    answers.set("/healthz", { status: 200, body: "<html>" });
    expect(await said(["--url", `http://${address()}`])).toMatchInlineSnapshot(`
      "$ rotate health --url http://WORKER
      | rotate: WORKER does not answer as a worker of keyturn (HTTP 200)
      |   name the worker's own address with --url
      exit 1"
    `);
  });
});

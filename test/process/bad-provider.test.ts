import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { session } from "./transcript.ts";
import { changingNothing } from "./unchanged.ts";
import { currentKey, startWorld, type World } from "./world.ts";

describe("a provider that cannot be worked with refuses `rotate --now` with status 1, and nothing is touched", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const now = (env: NodeJS.ProcessEnv) =>
    changingNothing(world, () => session(world, ["--now", "payments-api", "--log-level", "error"], { env }));

  test("no management key", async () => {
    expect(await now({ OPENROUTER_MANAGEMENT_KEY: undefined })).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error
      payments-api: blocked: environment variable OPENROUTER_MANAGEMENT_KEY is not set; set OPENROUTER_MANAGEMENT_KEY, or name a file with { file: PATH }
      exit 1"
    `);
  });

  test("a management key that is refused", async () => {
    const key = `sk-or-v1-${"0".repeat(64)}`;
    expect(await now({ OPENROUTER_MANAGEMENT_KEY: key })).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error
      payments-api: blocked: cannot read key k1 at openrouter: HTTP 401, “User not found.”; the management key was refused: check environment variable OPENROUTER_MANAGEMENT_KEY; it must hold a management key (formerly: provisioning key), made at https://openrouter.ai/settings/management-keys
      exit 1"
    `);
  });

  test("an ordinary key in place of a management key", async () => {
    const key = currentKey(world);
    expect(await now({ OPENROUTER_MANAGEMENT_KEY: key })).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error
      payments-api: blocked: cannot read key k1 at openrouter: HTTP 403, “Only management keys can perform this operation”; check environment variable OPENROUTER_MANAGEMENT_KEY: an ordinary API key cannot manage keys; it must hold a management key (formerly: provisioning key), made at https://openrouter.ai/settings/management-keys, by someone who may create keys
      exit 1"
    `);
  });

  test("nobody at its address", async () => {
    const free = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => free.once("listening", resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    const url = `http://127.0.0.1:${port}/api/v1`;
    const text = await now({ OPENROUTER_BASE_URL: url });
    expect(text.replaceAll(String(port), "PORT")).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error
      payments-api: blocked: cannot read key k1 at openrouter: GET http://127.0.0.1:PORT made no connection: ECONNREFUSED; check that the address and port are right and reachable from here
      exit 1"
    `);
  });

  test("a web page in place of the API", async () => {
    const portal = createServer((_, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<html>Please log in</html>");
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => portal.once("listening", resolve));
    const { port } = portal.address() as AddressInfo;
    const text = await now({ OPENROUTER_BASE_URL: `http://127.0.0.1:${port}/api/v1` });
    portal.closeAllConnections();
    portal.close();
    expect(text.replaceAll(String(port), "PORT")).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error
      payments-api: blocked: cannot read key k1 at openrouter: the answer is not one of the API's; check baseUrl (http://127.0.0.1:PORT/api/v1): it ends with /api/v1 and names the API's final address, as redirects are not followed
      exit 1"
    `);
  });

  test("a dry run says the same, and a key that is not due stays ok", async () => {
    const env = { OPENROUTER_MANAGEMENT_KEY: undefined };
    expect(
      await changingNothing(world, () => session(world, ["--now", "--dry-run"], { env })),
    ).toMatchInlineSnapshot(`
      "$ rotate --now --dry-run
      payments-api  BLOCKED  environment variable OPENROUTER_MANAGEMENT_KEY is not set; set OPENROUTER_MANAGEMENT_KEY, or name a file with { file: PATH }
      exit 0"
    `);
    expect(await session(world, ["status", "--exit-code"])).toMatchInlineSnapshot(`
      "$ rotate status --exit-code
      KEY  STATE  AGE  CURRENT  LAST  NEXT
      payments-api  ok  AGE  k1 LABEL  completed AGO  SOON (TIME)
      exit 0"
    `);
  });
});

test("a management key that may read but not create ends the rotation as failed, with nothing left behind", async () => {
  await using world = await startWorld({ provisioned: false, faults: ["create:403:all"] });
  expect(await session(world, ["once", "--deadline", "20s"])).toMatchInlineSnapshot(`
    "$ rotate once --deadline 20s
    payments-api: failed: cannot create key keyturn/default/payments-api/DATE/ID at openrouter: HTTP 403, “Injected fault”; check environment variable OPENROUTER_MANAGEMENT_KEY: an ordinary API key cannot manage keys; it must hold a management key (formerly: provisioning key), made at https://openrouter.ai/settings/management-keys, by someone who may create keys
    1 failed
    | info: stamps our name beside the secret
    | info: PROVISIONS a first key, because the secret has none (has no key yet)
    | info: writes down the exact name the new key will bear
    | warn: cannot create key keyturn/default/payments-api/DATE/ID at openrouter: HTTP 403, “Injected fault”; check environment variable OPENROUTER_MANAGEMENT_KEY: an ordinary API key cannot manage keys; it must hold a management key (formerly: provisioning key), made at https://openrouter.ai/settings/management-keys, by someone who may create keys
    | info: has found no lost key of ours at the provider
    exit 1"
  `);
  expect(world.sandbox.model.allKeys()).toEqual([]);
});

import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "vitest";
import { session, sessions } from "./transcript.ts";
import { changingNothing } from "./unchanged.ts";
import { currentKey, startWorld, type World } from "./world.ts";

describe.concurrent("a provider that cannot be worked with refuses `rotate --now` with status 1, and nothing is touched", {
  timeout: 60_000,
}, () => {
  test("no management key; the key itself is not blocked by that", async ({ expect }) => {
    await using world = await startWorld();
    world.env.OPENROUTER_MANAGEMENT_KEY = undefined;
    expect(
      await changingNothing(world, () => sessions(world, NOW, ["--now", "--dry-run"], ["status"])),
    ).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error
      payments-api: blocked: environment variable OPENROUTER_MANAGEMENT_KEY is not set; set OPENROUTER_MANAGEMENT_KEY, or name a file with { file: PATH }
      exit 1

      $ rotate --now --dry-run
      payments-api  BLOCKED  environment variable OPENROUTER_MANAGEMENT_KEY is not set; set OPENROUTER_MANAGEMENT_KEY, or name a file with { file: PATH }
      exit 0

      $ rotate status
      KEY  STATE  AGE  CURRENT  LAST  NEXT
      payments-api  ok  AGE  k1 LABEL  completed AGO  SOON (TIME)
      exit 0"
    `);
  });

  test("a management key that is refused", async ({ expect }) => {
    await using world = await startWorld();
    const key = `sk-or-v1-${"0".repeat(64)}`;
    expect(await now(world, { OPENROUTER_MANAGEMENT_KEY: key })).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error
      payments-api: blocked: cannot read key k1 at openrouter: HTTP 401, “User not found.”; the management key was refused: check environment variable OPENROUTER_MANAGEMENT_KEY; it must hold a management key (formerly: provisioning key), made at https://openrouter.ai/settings/management-keys
      exit 1"
    `);
  });

  test("an ordinary key in place of a management key", async ({ expect }) => {
    await using world = await startWorld();
    const key = currentKey(world);
    expect(await now(world, { OPENROUTER_MANAGEMENT_KEY: key })).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error
      payments-api: blocked: cannot read key k1 at openrouter: HTTP 403, “Only management keys can perform this operation”; check environment variable OPENROUTER_MANAGEMENT_KEY: an ordinary API key cannot manage keys; it must hold a management key (formerly: provisioning key), made at https://openrouter.ai/settings/management-keys, by someone who may create keys
      exit 1"
    `);
  });

  test("nobody at its address", async ({ expect }) => {
    await using world = await startWorld();
    const { server, url } = await listen(() => {});
    server.close();
    const text = await now(world, { OPENROUTER_BASE_URL: url });
    expect(text.replaceAll(new URL(url).host, "NOBODY")).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error
      payments-api: blocked: cannot read key k1 at openrouter: GET http://NOBODY made no connection: ECONNREFUSED; check that the address and port are right and reachable from here
      exit 1"
    `);
  });

  test("a web page in place of the API", async ({ expect }) => {
    await using world = await startWorld();
    const { server, url } = await listen((_, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<html>Please log in</html>");
    });
    const text = await now(world, { OPENROUTER_BASE_URL: url });
    server.close();
    expect(text.replaceAll(new URL(url).host, "PORTAL")).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error
      payments-api: blocked: cannot read key k1 at openrouter: the answer is not one of the API's; check baseUrl (http://PORTAL/api/v1): it ends with /api/v1 and names the API's final address, as redirects are not followed
      exit 1"
    `);
  });

  test("a management key that may read but not create: the rotation has failed, with nothing left behind", async ({
    expect,
  }) => {
    await using world = await startWorld({ provisioned: false, faults: ["create:403:all"] });
    expect(await sessions(world, ["once"], ["status", "--exit-code"])).toMatchInlineSnapshot(`
      "$ rotate once
      payments-api: failed: cannot create key keyturn/default/payments-api/DATE/ID at openrouter: HTTP 403, “Injected fault”; check environment variable OPENROUTER_MANAGEMENT_KEY: an ordinary API key cannot manage keys; it must hold a management key (formerly: provisioning key), made at https://openrouter.ai/settings/management-keys, by someone who may create keys
      1 failed
      | info: stamps our name beside the secret
      | info: PROVISIONS a first key, because the secret has none (has no key yet)
      | info: writes down the exact name the new key will bear
      | warn: cannot create key keyturn/default/payments-api/DATE/ID at openrouter: HTTP 403, “Injected fault”; check environment variable OPENROUTER_MANAGEMENT_KEY: an ordinary API key cannot manage keys; it must hold a management key (formerly: provisioning key), made at https://openrouter.ai/settings/management-keys, by someone who may create keys
      | info: has found no lost key of ours at the provider
      exit 1

      $ rotate status --exit-code
      KEY  STATE  AGE  CURRENT  LAST  NEXT
      payments-api  failed  -  -  failed AGO  SOON (TIME), retry
        cannot create key keyturn/default/payments-api/DATE/ID at openrouter: HTTP 403, “Injected fault”; check environment variable OPENROUTER_MANAGEMENT_KEY: an ordinary API key cannot manage keys; it must hold a management key (formerly: provisioning key), made at https://openrouter.ai/settings/management-keys, by someone who may create keys
      exit 1"
    `);
    expect(world.sandbox.model.allKeys()).toEqual([]);
  });
});

const NOW = ["--now", "payments-api", "--log-level", "error"];

/** What `rotate --now` says under these variables. */
function now(world: World, env: NodeJS.ProcessEnv): Promise<string> {
  return changingNothing(world, () => session(world, NOW, { env }));
}

/** A server on loopback, and its address as a provider's base URL. */
async function listen(answer: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1` };
}

import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { session } from "./transcript.ts";
import { changingNothing } from "./unchanged.ts";
import {
  currentKey,
  rotate,
  STUBBORN_BILLING,
  startWorld,
  type World,
  type WorldOptions,
  withPolicy,
} from "./world.ts";

const ONLINE = ["validate", "--online"];

/** What differs from run to run: how near the clocks are found, and the version of an edit. */
async function online(world: World, args = ONLINE, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const shown = await session(world, args, { env });
  return shown.replace(/within \d+s of/, "within 1s of").replace(/edit-[0-9a-f-]{36}/, "edit-ID");
}

describe("validate --online of a key that is well", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const run = (args: string[], env: NodeJS.ProcessEnv = {}) =>
    changingNothing(world, () => online(world, args, env));

  test("shows that nothing is missing", async () => {
    expect(await run(ONLINE)).toMatchInlineSnapshot(`
      "$ rotate validate --online
      provider openrouter
        ✓ management key: environment variable OPENROUTER_MANAGEMENT_KEY is accepted and lists 1 key
        – rights: it is a management key, as it lists keys; that it may create, change and delete them shows only when it does
        ✓ clock: within 1s of the provider's
      store local
        ✓ directory: DIR/secrets is there and may be written
        ✓ disk: not a network file system
        ✓ lock: DIR/secrets/.keyturn/lock.db may be taken
        ✓ files: DIR/secrets/payments-api.json and its record may be written
        ✓ owner: payments-api bears our stamp
        ✓ current: payments-api (OPENROUTER_API_KEY) holds key k1
      journal DIR/journal.db
        ✓ journal: opens, and takes a write
        ✓ disk: not a network file system
      key payments-api
        ✓ current key: accepted by openrouter (LABEL)
        ✓ consumer payments: PAYMENTS/healthz (payments-1) serves sha256:k1
        ✓ consumer billing: BILLING/healthz (billing-1) serves sha256:k1
      nothing speaks against a rotation
      exit 0"
    `);
  });

  test("gives the same as JSON", async () => {
    const { stdout, status } = await rotate(world, [...ONLINE, "payments-api", "--json"]);
    const { valid, faults, online } = JSON.parse(stdout);
    expect({ valid, faults, status, ok: online.ok }).toEqual({
      valid: true,
      faults: [],
      status: 0,
      ok: true,
    });
    expect(online.groups.map(({ kind, name }: { kind: string; name: string }) => `${kind} ${name}`)).toEqual([
      "provider openrouter",
      "store local",
      `journal ${world.env.KEYTURN_JOURNAL}`,
      "key payments-api",
    ]);
    expect(online.groups[0].checks[0]).toEqual({
      check: "management key",
      result: "passed",
      says: "environment variable OPENROUTER_MANAGEMENT_KEY is accepted and lists 1 key",
    });
  });

  test("recognises an ordinary key in the management key's place", async () => {
    const shown = await run(ONLINE, { OPENROUTER_MANAGEMENT_KEY: currentKey(world) });
    expect(shown.split("\n").slice(1, 5).join("\n")).toMatchInlineSnapshot(`
      "provider openrouter
        ✗ management key: environment variable OPENROUTER_MANAGEMENT_KEY holds an ordinary API key (LABEL), which cannot manage keys
            check environment variable OPENROUTER_MANAGEMENT_KEY: an ordinary API key cannot manage keys; it must hold a management key (formerly: provisioning key), made at https://openrouter.ai/settings/management-keys, by someone who may create keys
        ✓ clock: within 1s of the provider's"
    `);
    expect(shown).toMatch(/1 of \d+ checks failed\nexit 1$/);
  });

  test("tells a management key that is not accepted, and one that is not given", async () => {
    const wrong = await run(ONLINE, { OPENROUTER_MANAGEMENT_KEY: "sk-or-v1-wrong" });
    const none = await run(ONLINE, { OPENROUTER_MANAGEMENT_KEY: undefined });
    const line = (shown: string) => shown.split("\n").slice(2, 4).join("\n");
    expect([line(wrong), line(none)].join("\n")).toMatchInlineSnapshot(`
      "  ✗ management key: cannot list keys at openrouter: HTTP 401, “User not found.”
            the management key was refused: check environment variable OPENROUTER_MANAGEMENT_KEY; it must hold a management key (formerly: provisioning key), made at https://openrouter.ai/settings/management-keys
        ✗ management key: environment variable OPENROUTER_MANAGEMENT_KEY is not set
            set OPENROUTER_MANAGEMENT_KEY, or name a file with { file: PATH }"
    `);
  });

  test("tells the stamp of another journal", async () => {
    const shown = await run(ONLINE, { KEYTURN_JOURNAL: join(world.sandbox.folder, "elsewhere/journal.db") });
    expect(shown).toContain('  ✗ owner: payments-api is kept by installation "default" (journal ID)');
    expect(shown).toContain("if that one is gone for good: rotate --now payments-api --take-over");
    expect(existsSync(join(world.sandbox.folder, "elsewhere"))).toBe(false);
  });

  test("tells a store's directory that everyone may read", async () => {
    const path = world.env.KEYTURN_STORE as string;
    await chmod(path, 0o755);
    const shown = await run(ONLINE);
    await chmod(path, 0o700);
    expect(shown).toContain("  ✗ directory: directory DIR/secrets has mode 0755: it is open to everyone");
    expect(shown).toContain("– secret: payments-api: not checked, as its store cannot be used");
    expect(shown).toMatch(/exit 1$/);
  });

  test("tells a broken file from an absent one", async () => {
    const { file } = world.sandbox.secret;
    const saved = await readFile(file, "utf8");
    await writeFile(file, "{ oops");
    const shown = await run(ONLINE);
    await writeFile(file, saved);
    expect(shown).toContain("✗ secret: DIR/secrets/payments-api.json is not a JSON object");
  });

  test("asks no keys that are not named, and takes no unknown one", async () => {
    expect(await run([...ONLINE, "payment-api"])).toMatchInlineSnapshot(`
      "$ rotate validate --online payment-api
      | rotate: the policy has no key "payment-api"
      |   did you mean payments-api?
      exit 2"
    `);
    expect(await run(["validate", "payments-api"])).toMatchInlineSnapshot(`
      "$ rotate validate payments-api
      | rotate: keys are named only with --online
      |   the policy is one: rotate validate checks all of it
      exit 2"
    `);
  });
});

describe("validate --online of a key that is not well", () => {
  test("tells a consumer that does not answer", async () => {
    await using world = await startWorld();
    const shown = await online(world, ONLINE, { PAYMENTS_URL: "http://127.0.0.1:1" });
    expect(shown.split("\n").slice(-7).join("\n")).toMatchInlineSnapshot(`
      "key payments-api
        ✓ current key: accepted by openrouter (LABEL)
        ✗ consumer payments: 127.0.0.1:1/healthz no connection to 127.0.0.1:1 (ECONNREFUSED)
            no rotation starts before every consumer answers; check the service and its probe
        ✓ consumer billing: BILLING/healthz (billing-1) serves sha256:k1
      1 of 14 checks failed
      exit 1"
    `);
  });

  test("tells consumers that use another key than the store's, and a key that the provider refuses", async () => {
    const late = { payments: 3_600_000, billing: 3_600_000 };
    await using world = await startWorld({ applyDelays: late });
    const { file, field } = world.sandbox.secret;
    await writeFile(file, JSON.stringify({ [field]: "sk-or-v1-nobodys" }));
    const shown = await changingNothing(world, () => online(world));
    expect(shown.split("\n").slice(11).join("\n")).toMatchInlineSnapshot(`
      "  – secret: secret payments-api was edited by hand; the edit is now current, as version edit-ID
        ✓ current: payments-api (OPENROUTER_API_KEY) holds a value that the first pass adopts, if it can be proved which key it is
      journal DIR/journal.db
        ✓ journal: opens, and takes a write
        ✓ disk: not a network file system
      key payments-api
        ✗ current key: openrouter refuses the secret's current value
            if it is a placeholder, empty it and a first key is provisioned; if it expired, replace it by hand once
        ✗ consumer payments: PAYMENTS/healthz (payments-1) serves another key sha256:k1
            it does not use the store's current key of payments-api: check where it reads its key, and that it reads it again
        ✗ consumer billing: BILLING/healthz (billing-1) serves another key sha256:k1
            it does not use the store's current key of payments-api: check where it reads its key, and that it reads it again
      3 of 15 checks failed
      exit 1"
    `);
  });

  test("lets a consumer be late while a rotation is in flight", async () => {
    await using world = await startWorld(STUBBORN_BILLING);
    await rotate(world, ["--now", "payments-api", "--deadline", "2s"]);
    const shown = await changingNothing(world, () => online(world));
    expect(shown).toMatch(/– consumer billing: .* serves another key .*; a rotation is in flight$/m);
    expect(shown).toMatch(/exit 0$/);
  });
});

describe("validate --online of what the worker needs besides its keys", () => {
  const serving = (port: number): WorldOptions => ({
    policy: (yaml) =>
      `${yaml}    notify: [{ http: { url: { env: HOOK } }, secret: { env: HOOK_SECRET } }]
server: { address: 127.0.0.1, port: ${port}, token: { env: PAGE_TOKEN } }
`,
  });
  const env = (hook: string) => ({ HOOK: hook, HOOK_SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" });

  test("finds the port free, and reaches a webhook without a request", async () => {
    let requests = 0;
    const hook = createServer((_request, response) => {
      requests += 1;
      response.end();
    }).listen(0, "127.0.0.1");
    await once(hook, "listening");
    const { port } = hook.address() as AddressInfo;
    await using world = await startWorld(serving(0));
    const url = `http://127.0.0.1:${port}/T0/secret-part`;
    const shown = await changingNothing(world, () =>
      online(world, ONLINE, { ...env(url), PAGE_TOKEN: "a-token-of-24-characters" }),
    );
    hook.close();
    expect(requests).toBe(0);
    expect(shown).not.toContain("secret-part");
    expect(
      shown.replace(`127.0.0.1:${port}`, "HOOK").split("\n").slice(-8).join("\n"),
    ).toMatchInlineSnapshot(`
      "  ✓ consumer billing: BILLING/healthz (billing-1) serves sha256:k1
        ✓ notify: HOOK can be reached; nothing was sent
        ✓ notify secret: can be read
      server 127.0.0.1:0
        ✓ port: is free
        ✓ token: can be read
      nothing speaks against a rotation
      exit 0"
    `);
  });

  test("tells a webhook that cannot be reached, a token that is not set, and a port that is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    await using world = await startWorld(serving(port));
    const shown = await online(world, ONLINE, env("https://hooks.invalid/T0/secret-part"));
    other.close();
    expect(shown).not.toContain("secret-part");
    expect(
      shown
        .replace(`:${port}`, ":PORT")
        .replace(/\(E[A-Z_]+\)/, "(DNS)")
        .split("\n")
        .slice(-9)
        .join("\n"),
    ).toMatchInlineSnapshot(`
      "  ✗ notify: hooks.invalid cannot be reached (DNS)
            check the URL, DNS and what may be reached from here
        ✓ notify secret: can be read
      server 127.0.0.1:PORT
        – port: is taken: by the worker of this policy, if it runs here; no other could start
        ✗ token: environment variable PAGE_TOKEN is not set
            set PAGE_TOKEN, or name a file with { file: PATH }
      2 of 18 checks failed
      exit 1"
    `);
  });
});

describe("validate --online before the first key", () => {
  test("says that a first key would be provisioned, and makes nothing", async () => {
    await using world = await startWorld({ provisioned: false });
    const before = await readdir(world.sandbox.folder, { recursive: true });
    expect(await online(world)).toMatchInlineSnapshot(`
      "$ rotate validate --online
      provider openrouter
        ✓ management key: environment variable OPENROUTER_MANAGEMENT_KEY is accepted and lists 0 keys
        – rights: it is a management key, as it lists keys; that it may create, change and delete them shows only when it does
        ✓ clock: within 1s of the provider's
      store local
        ✓ directory: DIR/secrets is there and may be written
        ✓ disk: not a network file system
        ✓ lock: DIR/secrets/.keyturn/lock.db is not there yet
        ✓ files: DIR/secrets/payments-api.json and its record may be written
        – current: payments-api (OPENROUTER_API_KEY) is not there: a first key would be PROVISIONED
      journal DIR/journal.db
        ✓ journal: is not there yet and can be made in DIR
        ✓ disk: not a network file system
      key payments-api
        – consumer payments: PAYMENTS/healthz (payments-1) HTTP 503, status "waiting"; it may be waiting for its first key
        – consumer billing: BILLING/healthz (billing-1) HTTP 503, status "waiting"; it may be waiting for its first key
      nothing speaks against a rotation
      exit 0"
    `);
    expect(await readdir(world.sandbox.folder, { recursive: true })).toEqual(before);
  });

  test("fails where the secret is not to be created", async () => {
    await using world = await startWorld({
      provisioned: false,
      ...withPolicy("field: OPENROUTER_API_KEY }", "field: OPENROUTER_API_KEY, create: false }"),
    });
    const shown = await online(world);
    expect(shown).toContain("✗ current: payments-api (OPENROUTER_API_KEY) is not there, and is not made");
    expect(shown).toMatch(/exit 1$/);
  });

  test("tells a store and a policy that cannot be used", async () => {
    await using world = await startWorld({ provisioned: false });
    await writeFile(join(world.sandbox.folder, "file"), "");
    const path = join(world.sandbox.folder, "file/secrets");
    const shown = await online(world, ONLINE, { KEYTURN_STORE: path });
    expect(shown).toContain("✗ directory: DIR/file/secrets: something in its path is not a directory");
    await writeFile(world.policyFile, "version: 2");
    expect((await rotate(world, ONLINE)).status).toBe(2);
    expect((await rotate(world, [...ONLINE, "--json"])).stdout).toContain('"valid": false');
  });
});

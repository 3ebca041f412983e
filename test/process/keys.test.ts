import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test, vi } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { Secret } from "../../src/lib/secret.ts";
import { arouterApi, arouterModel } from "../../src/sandbox/arouter-api.ts";
import { serve } from "../../src/sandbox/serve.ts";
import { fileStore } from "../../src/stores/file/file-store.ts";
import { session, sessions } from "./transcript.ts";
import { changingNothing } from "./unchanged.ts";
import {
  currentHash,
  currentKey,
  rotate,
  STUBBORN_BILLING,
  startWorld,
  type World,
  withPolicy,
} from "./world.ts";

/** Two plaintexts whose hashes begin with the same eight digits, and one more. */
const TWINS = ["sk-or-v1-twin-185413", "sk-or-v1-twin-149489"] as const;
const TWIN_HASH = "52e93753c62a91db45ad7ef0bca478c8f4527d7390cd3a474cceb13d10b10be1";
const TWIN_PREFIX = TWIN_HASH.slice(0, 8);
const ALONE = TWIN_HASH.slice(0, 9);

/** Keys that people made, besides the policy's own. */
function people({ sandbox: { model } }: World): void {
  const [first, second] = TWINS;
  model.create({ name: "laptop", limit: 12.5, limitReset: "weekly" }, undefined, first);
  const { issued } = model.create({ name: "old \u001b[31mlaptop" }, undefined, second);
  model.update(issued.hash, { disabled: true });
}

const text = async (world: World, args: string[]) => steady(await session(world, ["keys", ...args]));
const keys = async (world: World, ...runs: string[][]) =>
  steady(await sessions(world, ...runs.map((args) => ["keys", ...args])));

/** What else differs from run to run. */
function steady(transcript: string): string {
  return transcript
    .replace(/[\d-]{10}T[\d:.]+\+00:00/g, "TIME")
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "UUID")
    .replace(/(usage\w*) +[\d.]+/g, "$1  N")
    .replace(/[\d.]+(?= {2}TIME {2}none {2}payments-api)/g, "SPENT");
}
const named = ({ sandbox }: World, name: string) => sandbox.model.allKeys().find((key) => key.name === name);

describe.concurrent("rotate keys list", { timeout: 60_000 }, () => {
  test("shows every key and which of them is the policy's; disabled ones where asked, names made harmless", async ({
    expect,
  }) => {
    await using world = await startWorld();
    people(world);
    expect(
      await changingNothing(world, () =>
        keys(
          world,
          ["list"],
          ["list", "--include-disabled", "--name", "LAPTOP"],
          ["list", "--name", "nobody"],
        ),
      ),
    ).toMatchInlineSnapshot(`
      "$ rotate keys list
      NAME  LABEL  HASH  DISABLED  LIMIT  REMAINING  RESET  USAGE  CREATED  EXPIRES  KEY
      laptop  LABEL  k1  no  12.5  12.5  weekly  0  TIME  none  -
      keyturn/default/payments-api/DATE/ID  LABEL  k2  no  none  none  none  SPENT  TIME  none  payments-api (current)
      | rotate: 1 disabled key is not shown; --include-disabled shows them too
      exit 0

      $ rotate keys list --include-disabled --name LAPTOP
      NAME  LABEL  HASH  DISABLED  LIMIT  REMAINING  RESET  USAGE  CREATED  EXPIRES  KEY
      old  [31mlaptop  LABEL  k1  yes  none  none  none  0  TIME  none  -
      laptop  LABEL  k2  no  12.5  12.5  weekly  0  TIME  none  -
      exit 0

      $ rotate keys list --name nobody
      no key at openrouter has "nobody" in its name
      exit 0"
    `);
  });

  test("walks to the last page, also of other workspaces, and prints every field as JSON", async ({
    expect,
  }) => {
    await using world = await startWorld();
    const { model } = world.sandbox;
    for (let i = 0; i < 230; i += 1) model.create({ name: `many-${i}` });
    const workspaceId = model.addWorkspace();
    model.create({ name: "elsewhere", workspaceId });
    const list = async (...more: string[]) =>
      JSON.parse((await rotate(world, ["keys", "list", "--json", ...more])).stdout);

    const { provider, keys: found } = await list();
    expect(provider).toBe("openrouter");
    expect(found.length).toBe(231);
    expect(found.find(({ hash }: { hash: string }) => hash === currentHash(world))).toMatchObject({
      policyKey: { key: "payments-api", state: "current" },
      limit: null,
      disabled: false,
      raw: { usage_daily: expect.any(Number), workspace_id: expect.any(String) },
    });
    const elsewhere = await list("--workspace", workspaceId);
    expect(elsewhere.keys.length).toBe(232);
    const table = await rotate(world, ["keys", "list", "--workspace", workspaceId]);
    expect(table.stdout).toContain("WORKSPACE");
    expect(table.stdout).toContain(workspaceId);
  });

  test("says how an ordinary key differs from a management key", async ({ expect }) => {
    await using world = await startWorld();
    world.env.OPENROUTER_MANAGEMENT_KEY = currentKey(world);
    expect(await text(world, ["list"])).toMatchInlineSnapshot(`
      "$ rotate keys list
      | rotate: cannot list keys at openrouter: HTTP 403, “Only management keys can perform this operation”
      |   check environment variable OPENROUTER_MANAGEMENT_KEY: an ordinary API key cannot manage keys; it must hold a management key (formerly: provisioning key), made at https://openrouter.ai/settings/management-keys, by someone who may create keys
      exit 1"
    `);
  });
});

describe.concurrent("rotate keys get", { timeout: 60_000 }, () => {
  test("shows every field by a whole hash or by a part of it, as the table shows it too", async ({
    expect,
  }) => {
    await using world = await startWorld();
    people(world);
    const hash = TWIN_HASH.slice(0, 12);
    expect(await text(world, ["get", TWIN_HASH])).toMatchInlineSnapshot(`
      "$ rotate keys get k1
      hash  k1
      name  laptop
      label  LABEL
      disabled  no
      limit  12.5
      limit_remaining  12.5
      limit_reset  weekly
      include_byok_in_limit  no
      usage  N
      usage_daily  N
      usage_weekly  N
      usage_monthly  N
      byok_usage  N
      byok_usage_daily  N
      byok_usage_weekly  N
      byok_usage_monthly  N
      created_at  TIME
      updated_at  none
      expires_at  none
      creator_user_id  none
      workspace_id  UUID
      external_user  none
      exit 0"
    `);
    for (const part of [ALONE, `${hash}…`, `${hash}...`]) {
      expect((await rotate(world, ["keys", "get", part])).stdout).toContain(TWIN_HASH);
    }
    const { key } = JSON.parse((await rotate(world, ["keys", "get", ALONE, "--json"])).stdout);
    expect(key).toMatchObject({ hash: TWIN_HASH, limit: 12.5, raw: { limit_reset: "weekly" } });
    const mine = await rotate(world, ["keys", "get", currentHash(world)]);
    expect(mine.stdout).toMatch(/key of the policy +payments-api \(current\)/);
  });

  test("refuses a hash that is unknown, ambiguous or too short", async ({ expect }) => {
    await using world = await startWorld();
    people(world);
    const unknown = "f".repeat(64);
    const all = await keys(
      world,
      ["get", unknown],
      ["get", "ffffffff"],
      ["get", TWIN_PREFIX],
      ["get", "52e9"],
      ["get"],
    );
    expect(all.replaceAll(unknown, "UNKNOWN")).toMatchInlineSnapshot(`
      "$ rotate keys get k1
      | rotate: openrouter has no key whose hash is or begins with k1
      |   rotate keys list --include-disabled shows the hashes (with --json in full); one in another workspace needs --workspace
      exit 1

      $ rotate keys get ffffffff
      | rotate: openrouter has no key whose hash is or begins with ffffffff
      |   rotate keys list --include-disabled shows the hashes (with --json in full); one in another workspace needs --workspace
      exit 1

      $ rotate keys get 52e93753
      | rotate: 2 keys at openrouter have a hash that begins with 52e93753
      |   give more of it: k1 (old  [31mlaptop), k2 (laptop)
      exit 1

      $ rotate keys get 52e9
      | rotate: "52e9" is too short to name a key
      |   give its hash, or at least the first 8 characters of it
      exit 2

      $ rotate keys get
      | rotate: missing required argument 'HASH'
      |   rotate keys get --help says what is accepted
      exit 2"
    `);
  });

  test("finds a part of a hash in the workspaces of the policy, and in one that is named", async ({
    expect,
  }) => {
    const elsewhere = "0f0e0d0c-0000-4000-8000-000000000000";
    await using world = await startWorld();
    const { model } = world.sandbox;
    model.defaultWorkspace();
    model.addWorkspace(undefined, elsewhere);
    model.create({ name: "laptop", workspaceId: elsewhere }, undefined, TWINS[0]);
    expect((await rotate(world, ["keys", "get", ALONE])).status).toBe(1);
    expect((await rotate(world, ["keys", "get", ALONE, "--workspace", elsewhere])).status).toBe(0);
  });
});

describe.concurrent("rotate keys create", { timeout: 60_000 }, () => {
  test("prints the key alone on standard output, once, with --reveal", async ({ expect }) => {
    await using world = await startWorld();
    const { stdout, stderr, status } = await rotate(world, ["keys", "create", "ci", "--reveal"]);
    expect(status).toBe(0);
    expect(world.sandbox.model.accepted(stdout.trimEnd())?.name).toBe("ci");
    expect(stdout.split("\n").length).toBe(2);
    expect(stderr).toMatch(/^rotate: created key [0-9a-f]{64} \(sk-or-v1-.*\.\.\..*\); the key itself/);
    expect(stderr).not.toContain(stdout.trimEnd());
  });

  test("sets every field that the provider has, and gives JSON to programs", async ({ expect }) => {
    await using world = await startWorld();
    const { model } = world.sandbox;
    const workspace = model.addWorkspace();
    const settings = ["--limit", "25.5", "--limit-reset", "monthly", "--include-byok-in-limit", "true"];
    const fixed = [
      "--expires-at",
      "2099-12-31T23:59:59+02:00",
      "--workspace",
      workspace,
      "--creator",
      "user_1",
    ];
    const args = ["keys", "create", "ci", ...settings, ...fixed, "--reveal", "--json"];
    const { key, plaintext } = JSON.parse((await rotate(world, args)).stdout);
    expect(model.accepted(plaintext)).toMatchObject({
      hash: key.hash,
      name: "ci",
      limit: 25.5,
      limitReset: "monthly",
      includeByokInLimit: true,
      expiresAt: "2099-12-31T21:59:59Z",
      workspaceId: workspace,
      creatorUserId: "user_1",
    });
    expect(key.raw).not.toHaveProperty("key");
    await rotate(world, ["keys", "create", "short", "--expires-after", "45d", "--limit", "none", "--reveal"]);
    const short = named(world, "short");
    expect(short?.limit).toBeNull();
    expect(Math.round((Date.parse(short?.expiresAt ?? "") - systemClock.now()) / 86_400_000)).toBe(45);
  });

  test("makes nothing when the key would be lost or the options are wrong", async ({ expect }) => {
    await using world = await startWorld();
    expect(
      await changingNothing(world, () =>
        keys(
          world,
          ["create", "ci"],
          ["create", "ci", "--limit", "abc", "--reveal"],
          ["create", "ci", "--limit", "-5", "--reveal"],
          ["create", "ci", "--limit-reset", "yearly", "--reveal"],
          ["create", "ci", "--expires-at", "tomorrow", "--reveal"],
          ["create", "ci", "--expires-at", "2020-01-01T00:00:00Z", "--reveal"],
          ["create", "ci", "--expires-at", "2099-01-01T00:00:00Z", "--expires-after", "45d", "--reveal"],
          ["create", "ci", "--allowed-model", "gpt-5", "--reveal"],
          ["create", "keyturn/default/payments-api/2026-01-01/000000000000", "--reveal"],
          ["create", " ", "--reveal"],
          ["create", "--reveal"],
          ["create", "ci", "--secret", "ci"],
          ["create", "ci", "--store", "local"],
          ["create", "ci", "--store", "locl", "--secret", "ci"],
          ["create", "ci", "--store", "local", "--secret", "ci", "--reveal"],
          ["create", "ci", "--store", "local", "--secret", "../ci"],
          ["creat", "ci"],
          ["rotate", "ci"],
        ),
      ),
    ).toMatchInlineSnapshot(`
      "$ rotate keys create ci
      | rotate: the new key would be lost: the provider shows it only once
      |   add --reveal to print it on standard output, or --store NAME --secret ID to put it into a store
      exit 2

      $ rotate keys create ci --limit abc --reveal
      | rotate: option '--limit <credits>' argument 'abc' is invalid. Give an amount in credits like 25 or 0.5, or none.
      |   rotate keys create --help says what is accepted
      exit 2

      $ rotate keys create ci --limit -5 --reveal
      | rotate: option '--limit <credits>' argument '-5' is invalid. Give an amount in credits like 25 or 0.5, or none.
      |   rotate keys create --help says what is accepted
      exit 2

      $ rotate keys create ci --limit-reset yearly --reveal
      | rotate: option '--limit-reset <period>' argument 'yearly' is invalid. Allowed choices are daily, weekly, monthly, none.
      |   rotate keys create --help says what is accepted
      exit 2

      $ rotate keys create ci --expires-at tomorrow --reveal
      | rotate: option '--expires-at <instant>' argument 'tomorrow' is invalid. Give an instant like TIME.
      |   rotate keys create --help says what is accepted
      exit 2

      $ rotate keys create ci --expires-at TIME --reveal
      | rotate: the key would have expired already (TIME)
      |   give an instant in the future, or --expires-after 45d
      exit 2

      $ rotate keys create ci --expires-at TIME --expires-after 45d --reveal
      | rotate: option '--expires-after <duration>' cannot be used with option '--expires-at <instant>'
      |   rotate keys create --help says what is accepted
      exit 2

      $ rotate keys create ci --allowed-model gpt-5 --reveal
      | rotate: --allowed-model is for ARouter; openrouter is OpenRouter
      |   leave it out, or name another provider with --provider
      exit 2

      $ rotate keys create keyturn/default/payments-api/DATE/ID --reveal
      | rotate: names that begin with keyturn/ are those of rotations
      |   choose another: what bears the name of a lost rotation is deleted
      exit 2

      $ rotate keys create  --reveal
      | rotate: the name is empty
      |   give one to know the key by
      exit 2

      $ rotate keys create --reveal
      | rotate: missing required argument 'NAME'
      |   rotate keys create --help says what is accepted
      exit 2

      $ rotate keys create ci --secret ci
      | rotate: --secret and --field say where in a store
      |   name it with --store
      exit 2

      $ rotate keys create ci --store local
      | rotate: --store needs --secret
      |   give the secret's id: --secret ID
      exit 2

      $ rotate keys create ci --store locl --secret ci
      | rotate: the policy has no store "locl"
      |   did you mean "local"?
      exit 2

      $ rotate keys create ci --store local --secret ci --reveal
      | rotate: --reveal and --store exclude each other
      |   choose one
      exit 2

      $ rotate keys create ci --store local --secret ../ci
      | rotate: "../ci" cannot be the name of a secret in a file store
      |   use letters, digits, dots, hyphens and underscores, with / between directories; no part may begin with a dot or end with .json
      exit 1

      $ rotate keys creat ci
      | rotate: unknown command 'creat'
      |   did you mean create?
      exit 2

      $ rotate keys rotate ci
      | rotate: unknown command 'rotate'
      |   did you mean one of create, update?
      exit 2"
    `);
  });

  test("says that a key may exist when the reply was lost, and how to find it", async ({ expect }) => {
    await using world = await startWorld({ provisioned: false, faults: ["create:lost-reply"] });
    expect(
      await keys(world, ["create", "ci job", "--reveal"], ["list", "--name", "ci job"]),
    ).toMatchInlineSnapshot(`
      "$ rotate keys create ci job --reveal
      | rotate: cannot create key ci job at openrouter: POST http://PROVIDER broke off: UND_ERR_SOCKET; a key of that name may exist at openrouter now
      |   its plaintext is lost: find it with \`rotate keys list --include-disabled --name 'ci job'\` and delete it
      exit 1

      $ rotate keys list --name ci job
      NAME  LABEL  HASH  DISABLED  LIMIT  REMAINING  RESET  USAGE  CREATED  EXPIRES  KEY
      ci job  LABEL  k1  no  none  none  none  0  TIME  none  -
      exit 0"
    `);
  });
});

describe.concurrent("rotate keys create --store", { timeout: 60_000 }, () => {
  const STORE = ["--store", "local", "--secret", "ci", "--field", "API_KEY"];
  const secretOf = (world: World) =>
    JSON.parse(readFileSync(join(world.env.KEYTURN_STORE as string, "ci.json"), "utf8"));

  test("puts the key into a new secret and shows it nowhere; a second field is added to it", async ({
    expect,
  }) => {
    await using world = await startWorld();
    expect(await text(world, ["create", "ci", ...STORE])).toMatchInlineSnapshot(`
      "$ rotate keys create ci --store local --secret ci --field API_KEY
      created key k1 (LABEL) and put it into field API_KEY of secret ci in store local (version UUID)
      exit 0"
    `);
    const first = secretOf(world).API_KEY;
    expect(world.sandbox.model.accepted(first)?.name).toBe("ci");

    const other = ["--store", "local", "--secret", "ci", "--field", "OTHER", "--json"];
    const { stdout } = await rotate(world, ["keys", "create", "other", ...other]);
    const { OTHER, API_KEY } = secretOf(world);
    expect(API_KEY).toBe(first);
    expect(world.sandbox.model.accepted(OTHER)?.name).toBe("other");
    expect(JSON.parse(stdout).stored).toMatchObject({ store: "local", secret: "ci", field: "OTHER" });
    expect(stdout).not.toContain(OTHER);
  });

  test("takes no secret that has a value, or that a key of the policy is kept in", async ({ expect }) => {
    await using world = await startWorld();
    await rotate(world, ["keys", "create", "ci", ...STORE]);
    expect(
      await changingNothing(world, () =>
        keys(
          world,
          ["create", "ci", ...STORE],
          ["create", "ci", "--store", "local", "--secret", "ci"],
          ["create", "ci", "--store", "local", "--secret", "payments-api", "--field", "OPENROUTER_API_KEY"],
          ["create", "ci", "--store", "local", "--secret", "payments-api", "--field", "OTHER"],
        ),
      ),
    ).toMatchInlineSnapshot(`
      "$ rotate keys create ci --store local --secret ci --field API_KEY
      | rotate: field API_KEY of secret ci in store local has a value already
      |   name another secret or field
      exit 1

      $ rotate keys create ci --store local --secret ci
      | rotate: secret ci is a JSON object, and no field is named
      |   name the field, or another secret
      exit 1

      $ rotate keys create ci --store local --secret payments-api --field OPENROUTER_API_KEY
      | rotate: field OPENROUTER_API_KEY of secret payments-api in store local is where payments-api is kept fresh
      |   name another secret; \`rotate --now payments-api\` puts a new key into this one
      exit 1

      $ rotate keys create ci --store local --secret payments-api --field OTHER
      | rotate: field OTHER of secret payments-api in store local is where payments-api is kept fresh
      |   name another secret; \`rotate --now payments-api\` puts a new key into this one
      exit 1"
    `);
  });

  test("knows such a secret under another name of its store, without asking the store", async ({
    expect,
  }) => {
    const aws = "{ type: aws-secrets-manager, region: eu-west-1 }";
    await using world = await startWorld({
      policy: (yaml) =>
        yaml
          .replace("stores:\n", `stores:\n  aws: ${aws}\n  again: ${aws}\n`)
          .replace("use: local", "use: aws"),
    });
    const other = ["--store", "again", "--secret", "payments-api", "--field", "OTHER"];
    expect(await text(world, ["create", "ci", ...other])).toMatchInlineSnapshot(`
      "$ rotate keys create ci --store again --secret payments-api --field OTHER
      | rotate: field OTHER of secret payments-api in store again is where payments-api is kept fresh
      |   name another secret; \`rotate --now payments-api\` puts a new key into this one
      exit 1"
    `);
  });

  test("deletes the key again when somebody else was faster to write the secret", async ({ expect }) => {
    await using world = await startWorld({ provisioned: false });
    world.sandbox.model.knobs.latency = 3_000;
    const config = {
      type: "file",
      path: world.env.KEYTURN_STORE as string,
      mode: "0600",
      dirMode: "0700",
    } as const;
    const store = fileStore("local", config, { clock: systemClock, random: systemRandom });
    const ref = { secret: "ci", field: "API_KEY" };

    const running = text(world, ["create", "ci", ...STORE]);
    // Stamped before the key is asked for, which takes a while.
    const { base } = await vi.waitUntil(
      async () => {
        const view = await store.observe(ref);
        return view.owner && view;
      },
      { timeout: 20_000, interval: 20 },
    );
    const staged = await store.stage(ref, {
      rotation: "theirs",
      hash: "h",
      value: new Secret("theirs"),
      base,
    });
    await store.promote(ref, staged.version, base);
    expect(await running).toMatchInlineSnapshot(`
      "$ rotate keys create ci --store local --secret ci --field API_KEY
      | rotate: field API_KEY of secret ci in store local could not be given the new key: field API_KEY of secret ci in store local was given a value by someone else meanwhile
      |   the key was deleted again (k1)
      exit 1"
    `);
    expect(secretOf(world)).toEqual({ API_KEY: "theirs" });
    expect(world.sandbox.model.liveKeys()).toEqual([]);
  });
});

describe.concurrent("rotate keys update", { timeout: 60_000 }, () => {
  test("gives a key other settings, also none, and shows it", async ({ expect }) => {
    await using world = await startWorld();
    people(world);
    const all = ["--limit", "0.000001", "--limit-reset", "daily", "--include-byok-in-limit", "true"];
    expect(
      await keys(
        world,
        ["update", ALONE, "--name", "desk", ...all],
        ["update", ALONE, "--limit", "none", "--limit-reset", "none", "--json"],
      ),
    ).toMatchInlineSnapshot(`
      "$ rotate keys update 52e93753c --name desk --limit 0.000001 --limit-reset daily --include-byok-in-limit true
      hash  k1
      name  desk
      label  LABEL
      disabled  no
      limit  0.000001
      limit_remaining  0.000001
      limit_reset  daily
      include_byok_in_limit  yes
      usage  N
      usage_daily  N
      usage_weekly  N
      usage_monthly  N
      byok_usage  N
      byok_usage_daily  N
      byok_usage_weekly  N
      byok_usage_monthly  N
      created_at  TIME
      updated_at  TIME
      expires_at  none
      creator_user_id  none
      workspace_id  UUID
      external_user  none
      exit 0

      $ rotate keys update 52e93753c --limit none --limit-reset none --json
      {
        "provider": "openrouter",
        "key": {
          "hash": "k1",
          "name": "desk",
          "label": "LABEL",
          "disabled": false,
          "limit": null,
          "limitRemaining": null,
          "limitReset": null,
          "includeByokInLimit": true,
          "usage": 0,
          "byokUsage": 0,
          "createdAt": "TIME",
          "updatedAt": "TIME",
          "expiresAt": null,
          "workspaceId": "UUID",
          "creatorUserId": null,
          "raw": {
            "hash": "k1",
            "name": "desk",
            "label": "LABEL",
            "disabled": false,
            "limit": null,
            "limit_remaining": null,
            "limit_reset": null,
            "include_byok_in_limit": true,
            "usage": 0,
            "usage_daily": 0,
            "usage_weekly": 0,
            "usage_monthly": 0,
            "byok_usage": 0,
            "byok_usage_daily": 0,
            "byok_usage_weekly": 0,
            "byok_usage_monthly": 0,
            "created_at": "TIME",
            "updated_at": "TIME",
            "expires_at": null,
            "creator_user_id": null,
            "workspace_id": "UUID",
            "external_user": null
          }
        }
      }
      exit 0"
    `);
    expect(named(world, "desk")).toMatchObject({ limit: null, limitReset: null, includeByokInLimit: true });
  });

  test("changes nothing for an unknown key or a value that is none", async ({ expect }) => {
    await using world = await startWorld();
    people(world);
    expect(
      await changingNothing(world, () =>
        keys(
          world,
          ["update", ALONE],
          ["update", ALONE, "--limit", "abc"],
          ["update", ALONE, "--include-byok-in-limit", "yes"],
          ["update", ALONE, "--allowed-provider", "openai"],
          ["update", ALONE, "--expires-after", "45d"],
          ["update", "ffffffff", "--limit", "1"],
        ),
      ),
    ).toMatchInlineSnapshot(`
      "$ rotate keys update 52e93753c
      | rotate: nothing to change was named
      |   give --name, --limit, --limit-reset … ; rotate keys update --help lists them
      exit 2

      $ rotate keys update 52e93753c --limit abc
      | rotate: option '--limit <credits>' argument 'abc' is invalid. Give an amount in credits like 25 or 0.5, or none.
      |   rotate keys update --help says what is accepted
      exit 2

      $ rotate keys update 52e93753c --include-byok-in-limit yes
      | rotate: option '--include-byok-in-limit <true|false>' argument 'yes' is invalid. Give true or false.
      |   rotate keys update --help says what is accepted
      exit 2

      $ rotate keys update 52e93753c --allowed-provider openai
      | rotate: --allowed-provider is for ARouter; openrouter is OpenRouter
      |   leave it out, or name another provider with --provider
      exit 2

      $ rotate keys update 52e93753c --expires-after 45d
      | rotate: unknown option '--expires-after'
      |   rotate keys update --help says what is accepted
      exit 2

      $ rotate keys update ffffffff --limit 1
      | rotate: openrouter has no key whose hash is or begins with ffffffff
      |   rotate keys list --include-disabled shows the hashes (with --json in full); one in another workspace needs --workspace
      exit 1"
    `);
  });

  test("says that a policy with settingsDrift: apply takes the change back", async ({ expect }) => {
    await using world = await startWorld(
      withPolicy("  - name: payments-api\n", "  - name: payments-api\n    settingsDrift: apply\n"),
    );
    const { stderr, status } = await rotate(world, ["keys", "update", currentHash(world), "--limit", "500"]);
    expect(status).toBe(0);
    expect(stderr).toMatchInlineSnapshot(`
      "rotate: payments-api has settingsDrift: apply: the next pass puts back what the policy says
      "
    `);
  });
});

describe.concurrent("rotate keys disable, enable and delete", { timeout: 60_000 }, () => {
  test("act on a key that people made; nothing is deleted unasked", async ({ expect }) => {
    await using world = await startWorld();
    people(world);
    expect(
      await keys(
        world,
        ["disable", ALONE],
        ["enable", ALONE],
        ["delete", ALONE],
        ["delete", ALONE, "--yes"],
        ["delete", TWIN_HASH, "--yes"],
      ),
    ).toMatchInlineSnapshot(`
      "$ rotate keys disable 52e93753c
      disabled key k1 (laptop)
      exit 0

      $ rotate keys enable 52e93753c
      enabled key k1 (laptop)
      exit 0

      $ rotate keys delete 52e93753c
      | rotate: deleting a key cannot be undone
      |   there is no terminal to ask on: add --yes if that is meant
      exit 2

      $ rotate keys delete 52e93753c --yes
      deleted key k1 (laptop, LABEL)
      exit 0

      $ rotate keys delete k1 --yes
      | rotate: openrouter has no key whose hash is or begins with k1
      |   rotate keys list --include-disabled shows the hashes (with --json in full); one in another workspace needs --workspace
      exit 1"
    `);
    expect(world.sandbox.model.key(TWIN_HASH)).toBeUndefined();
    expect(world.sandbox.model.accepted(currentKey(world))).toBeDefined();
  });

  test("refuse a key that the policy's consumers use, unless forced", async ({ expect }) => {
    await using world = await startWorld();
    const hash = currentHash(world);
    expect(
      await changingNothing(world, () => keys(world, ["disable", hash], ["delete", hash, "--yes"])),
    ).toMatchInlineSnapshot(`
      "$ rotate keys disable k1
      | rotate: key k1 belongs to payments-api (current): disabling it would fail the requests of whoever uses it
      |   \`rotate --now payments-api\` replaces it without an outage; --force does it all the same
      exit 1

      $ rotate keys delete k1 --yes
      | rotate: key k1 belongs to payments-api (current): deleting it would fail the requests of whoever uses it
      |   \`rotate --now payments-api\` replaces it without an outage; --force does it all the same
      exit 1"
    `);
    await world.sandbox.stopTraffic();
    expect((await rotate(world, ["keys", "disable", hash, "--force"])).status).toBe(0);
    expect(world.sandbox.model.key(hash)?.disabled).toBe(true);
    const { stdout } = await rotate(world, ["keys", "delete", hash, "--force", "--yes", "--json"]);
    expect(JSON.parse(stdout)).toEqual({ provider: "openrouter", hash, deleted: true });
  });

  test("refuse both keys of a rotation in flight", async ({ expect }) => {
    await using world = await startWorld({
      ...STUBBORN_BILLING,
      ...withPolicy("timeout: 5m, interval: 50ms", "timeout: 5s, interval: 50ms"),
    });
    expect((await rotate(world, ["--now", "payments-api"])).status).toBe(1);
    const live = world.sandbox.model.liveKeys().map(({ hash }) => hash);
    expect(live.length).toBe(2);
    for (const hash of live) {
      expect((await rotate(world, ["keys", "delete", hash, "--yes"])).status).toBe(1);
      expect((await rotate(world, ["keys", "disable", hash])).status).toBe(1);
    }
    expect(world.sandbox.model.liveKeys().length).toBe(2);
  });

  test("delete a key early that a rotation has disabled, but not the one after it", async ({ expect }) => {
    await using world = await startWorld(
      withPolicy("retire: { watch: 100ms }", "retire: { watch: 100ms, keepDisabledFor: 24h }"),
    );
    const old = currentHash(world);
    await rotate(world, ["--now", "payments-api"]);
    expect(currentHash(world)).not.toBe(old);
    expect((await rotate(world, ["keys", "list", "--include-disabled"])).stdout).toContain(
      "(on its way out)",
    );
    expect((await rotate(world, ["keys", "delete", currentHash(world), "--yes"])).status).toBe(1);
    expect((await rotate(world, ["keys", "delete", old, "--yes"])).status).toBe(0);
    expect(world.sandbox.model.liveKeys().map(({ hash }) => hash)).toEqual([currentHash(world)]);
  });
});

describe.concurrent("rotate keys current", { timeout: 60_000 }, () => {
  test("shows what the provider says of a key that is piped in, and whose it is", async ({ expect }) => {
    await using world = await startWorld();
    const ask = (stdin: string, ...more: string[]) =>
      session(world, ["keys", "current", ...more], { stdin }).then(steady);
    const shown = [
      await ask(`${currentKey(world)}\n`),
      await ask(`sk-or-v1-${"0".repeat(64)}`),
      await ask(""),
      await ask("two words"),
    ];
    expect(shown.join("\n\n")).toMatchInlineSnapshot(`
      "$ rotate keys current
      label  LABEL
      limit  none
      limit_remaining  none
      limit_reset  none
      include_byok_in_limit  no
      usage  N
      usage_daily  N
      usage_weekly  N
      usage_monthly  N
      byok_usage  N
      byok_usage_daily  N
      byok_usage_weekly  N
      byok_usage_monthly  N
      is_free_tier  no
      is_management_key  no
      is_provisioning_key  no
      organization_id  none
      allowed_data_regions  none
      free_model_daily_requests  {"limit":1000,"remaining":1000,"used":0}
      rate_limit  {"requests":-1,"interval":"10s","note":"This field is deprecated and safe to ignore."}
      expires_at  none
      creator_user_id  none
      workspace_id  UUID
      key of the policy  payments-api (current)
      exit 0

      $ rotate keys current
      openrouter does not accept this key: disabled, deleted, expired or never issued
      exit 1

      $ rotate keys current
      | rotate: no key was given on standard input
      |   paste it when asked, or: rotate keys current < FILE
      exit 2

      $ rotate keys current
      | rotate: what was given on standard input is not one key
      |   paste it when asked, or: rotate keys current < FILE
      exit 2"
    `);
    const { stdout } = await rotate(world, ["keys", "current", "--json"], {
      stdin: world.env.OPENROUTER_MANAGEMENT_KEY,
    });
    expect(JSON.parse(stdout)).toMatchObject({ accepted: true, key: { isManagementKey: true } });
  });
});

describe.concurrent("rotate keys, asked about itself", { timeout: 60_000 }, () => {
  test("explains each of its commands, with an example", async ({ expect }) => {
    await using world = await startWorld({ provisioned: false });
    const help = (await rotate(world, ["keys", "--help"])).stdout;
    const names = ["list", "get", "create", "update", "disable", "enable", "delete", "current"];
    for (const name of names) {
      expect(help).toMatch(new RegExp(`^  ${name}\\b`, "m"));
      const { stdout, status } = await rotate(world, ["keys", name, "--help"]);
      expect(status).toBe(0);
      expect(stdout).toContain(`Usage: rotate keys ${name} `);
      expect(stdout).toMatch(new RegExp(`Examples:\\n  \\$ rotate keys ${name}`));
    }
  });
});

describe.concurrent("rotate keys with several providers", { timeout: 60_000 }, () => {
  const TWO = withPolicy(
    "providers:\n",
    `providers:
  arouter:
    type: arouter
    managementKey: { env: AROUTER_MANAGEMENT_KEY }
    baseUrl: \${AROUTER_BASE_URL:-http://127.0.0.1:9/api/v1}
`,
  );

  test("asks which one is meant, and refuses what it has no setting for", async ({ expect }) => {
    await using world = await startWorld(TWO);
    expect(
      await keys(
        world,
        ["list"],
        ["list", "--provider", "arouted"],
        ["list", "--provider", "arouter", "--workspace", "w"],
        ["create", "ci", "--provider", "arouter", "--creator", "me", "--reveal"],
        ["update", ALONE, "--provider", "arouter", "--include-byok-in-limit", "true"],
      ),
    ).toMatchInlineSnapshot(`
      "$ rotate keys list
      | rotate: the policy has 2 providers
      |   say which one: --provider arouter or --provider openrouter
      exit 2

      $ rotate keys list --provider arouted
      | rotate: the policy has no provider "arouted"
      |   did you mean "arouter"?
      exit 2

      $ rotate keys list --provider arouter --workspace w
      | rotate: --workspace is for OpenRouter; arouter is ARouter
      |   leave it out, or name another provider with --provider
      exit 2

      $ rotate keys create ci --provider arouter --creator me --reveal
      | rotate: --creator is for OpenRouter; arouter is ARouter
      |   leave it out, or name another provider with --provider
      exit 2

      $ rotate keys update 52e93753c --provider arouter --include-byok-in-limit true
      | rotate: --include-byok-in-limit is for OpenRouter; arouter is ARouter
      |   leave it out, or name another provider with --provider
      exit 2"
    `);
  });

  test("speaks ARouter, with its restrictions", async ({ expect }) => {
    await using world = await startWorld(TWO);
    const model = arouterModel({ clock: systemClock, random: systemRandom });
    const { url, close } = await serve(arouterApi(model));
    world.env.AROUTER_MANAGEMENT_KEY = model.addManagementKey().reveal();
    world.env.AROUTER_BASE_URL = `${url}/api/v1`;
    const on = ["--provider", "arouter"];
    model.create({ name: "team", limit: 3 }, undefined, "lr_live_0123456789abcdef");
    const restricted = [
      "--allowed-provider",
      "openai",
      "--allowed-provider",
      "anthropic",
      "--allowed-model",
      "gpt-5",
    ];

    const made = await rotate(world, [
      "keys",
      "create",
      "ci",
      ...on,
      ...restricted,
      "--limit",
      "7",
      "--reveal",
    ]);
    expect(made.status).toBe(0);
    const key = model.accepted(made.stdout.trimEnd());
    expect(key).toMatchObject({
      limit: 7,
      allowedProviders: ["openai", "anthropic"],
      allowedModels: ["gpt-5"],
    });
    const hash = key?.hash.slice(0, 12) ?? "";
    const shown = await keys(
      world,
      ["list", "--name", "team", ...on],
      ["update", hash, "--allowed-model", "none", "--limit-reset", "daily", ...on],
      ["disable", hash, ...on],
      ["delete", hash, "--yes", ...on],
    );
    await close();
    expect(shown.replaceAll(hash, "k0").replace(/lr_live_\w+\.\.\.\w+/g, "LABEL")).toMatchInlineSnapshot(`
      "$ rotate keys list --name team --provider arouter
      NAME  LABEL  HASH  DISABLED  LIMIT  REMAINING  RESET  USAGE  CREATED  EXPIRES  KEY
      team  LABEL  k1  no  3  3  none  0  TIME  none  -
      exit 0

      $ rotate keys update k0 --allowed-model none --limit-reset daily --provider arouter
      hash  k1
      name  ci
      label  LABEL
      key_type  regular
      limit  7
      limit_remaining  7
      limit_reset  daily
      allowed_providers  openai, anthropic
      allowed_models  all
      usage  N
      usage_daily  N
      usage_weekly  N
      usage_monthly  N
      expires_at  none
      disabled  no
      created_at  TIME
      updated_at  TIME
      exit 0

      $ rotate keys disable k0 --provider arouter
      disabled key k1 (ci)
      exit 0

      $ rotate keys delete k0 --yes --provider arouter
      deleted key k1 (ci, LABEL)
      exit 0"
    `);
    expect(model.liveKeys().map(({ name }) => name)).toEqual(["team"]);
  });
});

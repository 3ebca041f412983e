import { describe, test } from "vitest";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { session, sessions } from "./transcript.ts";
import { changingNothing } from "./unchanged.ts";
import { currentHash, startWorld, type World } from "./world.ts";

const QUIET = ["--log-level", "error"];

/** A second key under the name of the current one, as if its create had been repeated on the way; its hash. */
function loseKey(world: World): string {
  const { model } = world.sandbox;
  const name = model.key(currentHash(world))?.name ?? "";
  return model.create({ name }).issued.hash;
}

/** What differs from run to run beyond what transcripts know of: credits spent by the traffic, workspaces. */
function steady(text: string): string {
  return text
    .replace(/ 0\.\d+ /g, " USED ")
    .replace(/"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"/g, '"WORKSPACE"');
}

function hashes({ sandbox }: World): string[] {
  return sandbox.model.allKeys().map(({ hash }) => hash);
}

describe.concurrent("rotate sweep", { timeout: 60_000 }, () => {
  test("finds nothing, and says how many keys are accounted for", async ({ expect }) => {
    await using world = await startWorld();
    world.sandbox.model.create({ name: "made by hand" });
    const shown = await changingNothing(world, () =>
      sessions(world, ["sweep", "--exit-code"], ["sweep", "--yes", "--json"]),
    );
    expect(shown).toMatchInlineSnapshot(`
      "$ rotate sweep --exit-code
      nothing was left behind; 1 key accounted for
      exit 0

      $ rotate sweep --yes --json
      {
        "keys": [],
        "known": 1,
        "problems": [],
        "unsearched": []
      }
      exit 0"
    `);
  });

  test("shows what is lost with the command that deletes it, and changes nothing until that is typed", async ({
    expect,
  }) => {
    await using world = await startWorld();
    const lost = loseKey(world);
    const shown = await changingNothing(world, () =>
      sessions(world, ["sweep"], ["sweep", "payments-api", "--exit-code"], ["sweep", "--json"]),
    );
    expect(steady(shown)).toMatchInlineSnapshot(`
      "$ rotate sweep
      KEY  FOUND  HASH  USAGE  CREATED  NAME
      payments-api  lost  k1  0  TIME  keyturn/default/payments-api/DATE/ID
        rotation r1 asked for it and never learned its plaintext
      1 lost key; \`rotate sweep --yes\` deletes it
      1 key accounted for
      exit 0

      $ rotate sweep payments-api --exit-code
      KEY  FOUND  HASH  USAGE  CREATED  NAME
      payments-api  lost  k1  0  TIME  keyturn/default/payments-api/DATE/ID
        rotation r1 asked for it and never learned its plaintext
      1 lost key; \`rotate sweep payments-api --yes\` deletes it
      1 key accounted for
      exit 3

      $ rotate sweep --json
      {
        "keys": [
          {
            "provider": "openrouter",
            "hash": "k1",
            "name": "keyturn/default/payments-api/DATE/ID",
            "key": "payments-api",
            "target": "local/payments-api",
            "verdict": "lost",
            "why": "rotation r1 asked for it and never learned its plaintext",
            "label": "LABEL",
            "disabled": false,
            "usage": 0,
            "createdAt": "TIME",
            "workspaceId": "WORKSPACE"
          }
        ],
        "known": 1,
        "problems": [],
        "unsearched": []
      }
      exit 0"
    `);
    expect(hashes(world)).toContain(lost);
    expect(
      await sessions(
        world,
        ["sweep", "--yes", "--exit-code"],
        ["sweep", "--exit-code", ...QUIET],
        ["history", "payments-api", "--limit", "2"],
      ),
    ).toMatchInlineSnapshot(`
      "$ rotate sweep --yes --exit-code
      KEY  FOUND  HASH  USAGE  CREATED  NAME
      payments-api  deleted  k1  0  TIME  keyturn/default/payments-api/DATE/ID
      1 key accounted for
      | info: deletes key k1, which bears a name of ours and whose plaintext was lost
      exit 0

      $ rotate sweep --exit-code --log-level error
      nothing was left behind; 1 key accounted for
      exit 0

      $ rotate history payments-api --limit 2
      TIME  payments-api  delete-sent  deletes key k1, which bears a name of ours and whose plaintext was lost (ME@HOST)
      TIME  payments-api  orphan-deleted  deletes key k1, which bears a name of ours and whose plaintext was lost (ME@HOST)
      exit 0"
    `);
    expect(hashes(world)).toEqual([currentHash(world)]);
  });

  test("never deletes a key that this journal did not ask for, and says what to do with it", async ({
    expect,
  }) => {
    await using world = await startWorld();
    const name = "keyturn/default/payments-api/2026-01-01/0123456789ab";
    const { issued } = world.sandbox.model.create({ name });
    loseKey(world);
    expect(
      await sessions(world, ["sweep", "--yes", "--exit-code", ...QUIET], ["sweep", "--yes"]),
    ).toMatchInlineSnapshot(`
      "$ rotate sweep --yes --exit-code --log-level error
      KEY  FOUND  HASH  USAGE  CREATED  NAME
      payments-api  deleted  k1  0  TIME  keyturn/default/payments-api/DATE/ID
      payments-api  unknown  k2  0  TIME  keyturn/default/payments-api/DATE/ID
        its name is one of installation "default" that this journal never asked for: another journal did, or one that was lost
        see in the provider's dashboard whether anything uses it; if nothing does: rotate keys delete k2
      1 key accounted for
      exit 3

      $ rotate sweep --yes
      KEY  FOUND  HASH  USAGE  CREATED  NAME
      payments-api  unknown  k1  0  TIME  keyturn/default/payments-api/DATE/ID
        its name is one of installation "default" that this journal never asked for: another journal did, or one that was lost
        see in the provider's dashboard whether anything uses it; if nothing does: rotate keys delete k1
      1 key accounted for
      exit 0"
    `);
    expect(hashes(world).sort()).toEqual([issued.hash, currentHash(world)].sort());
  });

  test("with the journal gone, leaves every key alone and says whose the current one is", async ({
    expect,
  }) => {
    await using world = await startWorld();
    loseKey(world);
    world.env.KEYTURN_JOURNAL = `${world.sandbox.folder}/another.db`;
    expect(steady(await session(world, ["sweep", "--yes", ...QUIET]))).toMatchInlineSnapshot(`
      "$ rotate sweep --yes --log-level error
      KEY  FOUND  HASH  USAGE  CREATED  NAME
      payments-api  unknown  k1  0  TIME  keyturn/default/payments-api/DATE/ID
        its name is one of installation "default" that this journal never asked for: another journal did, or one that was lost
        see in the provider's dashboard whether anything uses it; if nothing does: rotate keys delete k1
      payments-api  unknown  k2  USED  TIME  keyturn/default/payments-api/DATE/ID
        its name is one of installation "default" that this journal never asked for: another journal did, or one that was lost; it is the current key of payments-api
        if installation "default" (journal ID), whose stamp the secret bears, is gone for good: rotate --now payments-api --take-over
      0 keys accounted for
      exit 0"
    `);
    expect(hashes(world)).toHaveLength(2);
  });

  test("leaves a secret that a worker works on alone", async ({ expect }) => {
    await using world = await startWorld();
    const lost = loseKey(world);
    const parts = { clock: systemClock, random: systemRandom };
    const worker = await openSqliteJournal(world.env.KEYTURN_JOURNAL as string, parts);
    await worker.acquire("local/payments-api", 60_000);
    expect(
      await sessions(world, ["sweep", "--yes"], ["sweep", "--yes", "--exit-code"]),
    ).toMatchInlineSnapshot(`
      "$ rotate sweep --yes
      KEY  FOUND  HASH  USAGE  CREATED  NAME
      payments-api  busy  k1  0  TIME  keyturn/default/payments-api/DATE/ID
        another process works on this secret; sweep again when it has ended
      1 key accounted for
      exit 0

      $ rotate sweep --yes --exit-code
      KEY  FOUND  HASH  USAGE  CREATED  NAME
      payments-api  busy  k1  0  TIME  keyturn/default/payments-api/DATE/ID
        another process works on this secret; sweep again when it has ended
      1 key accounted for
      exit 3"
    `);
    await worker.close();
    expect(hashes(world)).toContain(lost);
  });
});

describe.concurrent("rotate sweep, where it cannot", { timeout: 60_000 }, () => {
  test("explains its words in its help", async ({ expect }) => {
    await using world = await startWorld({ provisioned: false });
    expect(await session(world, ["sweep", "--help"])).toMatchInlineSnapshot(`
      "$ rotate sweep --help
      Usage: rotate sweep [options] [KEY...]

      find keys that lost rotations left at the provider; delete them with --yes

      Arguments:
        KEY  names of keys; all when none is given, also those that
                             have left the policy

      Options:
        --yes  delete what is certainly lost; without it nothing is
                             changed
        --exit-code  exit with 3 when something was found and not deleted
        --json  print the result as JSON on standard output
        -h, --help  print help

      Global Options:
        -V, --version  print the version
        --policy <file>  the policy (default: "./rotation.yaml", env:
                             KEYTURN_POLICY)
        --log-level <level>  how much is logged on standard error (default: info)
                             (choices: "trace", "debug", "info", "warn", "error",
                             "silent")
        --no-color  no colour; NO_COLOR in the environment does the same

        lost  a rotation of this journal asked for it and never learned its plaintext: deleted with --yes
        undecided  the same, but somebody may need it, or that could not be found out: left alone
        unknown  bears a name of this installation that this journal never asked for: left alone

      Exit status:
        0  searched
        1  something could not be searched or deleted
        3  with --exit-code: something was found and not deleted; or a signal came before all was deleted

      Examples:
        $ rotate sweep
        $ rotate sweep payments-api --yes
        $ rotate sweep --json --exit-code
      exit 0"
    `);
  });

  test("names the keys that there are, and what is wrong with the command line", async ({ expect }) => {
    await using world = await startWorld({ provisioned: false });
    expect(
      await sessions(world, ["sweep", "payment-api", "--yes"], ["sweep", "--force"]),
    ).toMatchInlineSnapshot(`
      "$ rotate sweep payment-api --yes
      | rotate: the policy has no key "payment-api"
      |   did you mean payments-api?
      exit 2

      $ rotate sweep --force
      | rotate: unknown option '--force'
      |   rotate sweep --help says what is accepted
      exit 2"
    `);
  });

  test("says that the management key is missing or refused", async ({ expect }) => {
    await using world = await startWorld();
    loseKey(world);
    const shown = await changingNothing(world, async () => {
      const OPENROUTER_MANAGEMENT_KEY = `sk-or-v1-${"0".repeat(64)}`;
      return [
        await session(world, ["sweep", "--yes"], { env: { OPENROUTER_MANAGEMENT_KEY: undefined } }),
        await session(world, ["sweep", "--json"], { env: { OPENROUTER_MANAGEMENT_KEY } }),
      ].join("\n\n");
    });
    expect(shown).toMatchInlineSnapshot(`
      "$ rotate sweep --yes
      the sweep is incomplete; 0 keys accounted for
      | rotate: environment variable OPENROUTER_MANAGEMENT_KEY is not set
      |   set OPENROUTER_MANAGEMENT_KEY, or name a file with { file: PATH }
      exit 1

      $ rotate sweep --json
      {
        "keys": [],
        "known": 0,
        "problems": [
          {
            "where": "openrouter",
            "code": "unauthorized",
            "message": "cannot list keys at openrouter: HTTP 401, “User not found.”",
            "hint": "the management key was refused: check environment variable OPENROUTER_MANAGEMENT_KEY; it must hold a management key (formerly: provisioning key), made at https://openrouter.ai/settings/management-keys"
          }
        ],
        "unsearched": []
      }
      exit 1"
    `);
  });

  test("deletes nothing while the secret cannot be read", async ({ expect }) => {
    await using world = await startWorld();
    const lost = loseKey(world);
    const elsewhere = { KEYTURN_STORE: world.policyFile };
    expect(
      await session(world, ["sweep", "--yes", "--exit-code"], { env: elsewhere }),
    ).toMatchInlineSnapshot(`
      "$ rotate sweep --yes --exit-code
      KEY  FOUND  HASH  USAGE  CREATED  NAME
      payments-api  undecided  k1  0  TIME  keyturn/default/payments-api/DATE/ID
        whether the secret holds it is not known: DIR/rotation.yaml is not a directory
        move it away, or choose another path
      the sweep is incomplete; 1 key accounted for
      | rotate: DIR/rotation.yaml is not a directory
      |   move it away, or choose another path
      exit 1"
    `);
    expect(hashes(world)).toContain(lost);
  });

  test("says which key a provider refused to delete", async ({ expect }) => {
    await using world = await startWorld({ faults: ["delete:403:all"] });
    const lost = loseKey(world);
    expect(await session(world, ["sweep", "--yes"])).toMatchInlineSnapshot(`
      "$ rotate sweep --yes
      KEY  FOUND  HASH  USAGE  CREATED  NAME
      payments-api  failed  k1  0  TIME  keyturn/default/payments-api/DATE/ID
        cannot delete key k1 at openrouter: HTTP 403, “Injected fault”
      the sweep is incomplete; 1 key accounted for
      | rotate: cannot delete key k1 at openrouter: HTTP 403, “Injected fault”
      |   check environment variable OPENROUTER_MANAGEMENT_KEY: an ordinary API key cannot manage keys; it must hold a management key (formerly: provisioning key), made at https://openrouter.ai/settings/management-keys, by someone who may create keys
      exit 1"
    `);
    expect(hashes(world)).toContain(lost);
  });
});

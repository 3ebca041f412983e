import { chmod, copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { session } from "./transcript.ts";
import { changingNothing } from "./unchanged.ts";
import { startWorld, type World } from "./world.ts";

const NOW = ["--now", "payments-api", "--log-level", "error"];

describe("a store or journal that cannot be used stops everything with status 1, and nothing is touched", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
    await writeFile(join(world.sandbox.folder, "file"), "");
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const run = (args: string[], env: NodeJS.ProcessEnv = {}) =>
    changingNothing(world, () => session(world, args, { env }));

  test("a store below something that is no directory", async () => {
    const path = join(world.sandbox.folder, "file/secrets");
    expect(await run(NOW, { KEYTURN_STORE: path })).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error
      payments-api: blocked: DIR/file/secrets: something in its path is not a directory; choose another path, or move that file away
      exit 1"
    `);
  });

  test("a store's directory that everyone may read", async () => {
    const path = world.env.KEYTURN_STORE as string;
    await chmod(path, 0o755);
    expect(await run(NOW)).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error
      payments-api: blocked: directory DIR/secrets has mode 0755: it is open to everyone; chmod 700 DIR/secrets; if consumers under another user read it, let them share its group and set dirMode: "0750"
      exit 1"
    `);
    await chmod(path, 0o700);
  });

  test("a consumer file that somebody's edit has broken", async () => {
    const { file } = world.sandbox.secret;
    const saved = `${world.sandbox.folder}/saved.json`;
    await copyFile(file, saved);
    await writeFile(file, '{ "OPENROUTER_API_KEY": oops }');
    expect(await run(NOW)).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error
      payments-api: blocked: DIR/secrets/payments-api.json is not a JSON object; mend it so that it is a JSON object again, or delete it
      exit 1"
    `);
    await copyFile(saved, file);
  });

  test("a journal below something that is no directory", async () => {
    const path = join(world.sandbox.folder, "file/journal.db");
    expect(await run(NOW, { KEYTURN_JOURNAL: path })).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error
      | rotate: the journal DIR/file/journal.db cannot be made: something in its path is not a folder
      |   choose another path for it in the policy, or move away what is there
      exit 1"
    `);
  });

  test("a journal that is no database", async () => {
    const path = join(world.sandbox.folder, "corrupt.db");
    await writeFile(path, "not a database ".repeat(500));
    expect(await run(["status"], { KEYTURN_JOURNAL: path })).toMatchInlineSnapshot(`
      "$ rotate status
      | rotate: the journal DIR/corrupt.db cannot be used (file is not a database)
      |   restore it from a copy, or move it away and start anew with --take-over; the file was left as it is
      exit 1"
    `);
  });

  test("a journal that a newer version wrote", async () => {
    const path = join(world.sandbox.folder, "newer.db");
    await copyFile(world.env.KEYTURN_JOURNAL as string, path);
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 99");
    database.close();
    expect(await run(["worker"], { KEYTURN_JOURNAL: path })).toMatchInlineSnapshot(`
      "$ rotate worker
      | rotate: the journal DIR/newer.db has schema 99; this keyturn knows 2
      |   run keyturn 0.1.0 or newer, or restore the copy DIR/newer.db.v2-….bak that its upgrade made
      exit 1"
    `);
  });

  test("a secret that another installation keeps", async () => {
    const other = { KEYTURN_JOURNAL: join(world.sandbox.folder, "second-journal.db") };
    expect(await run(["once", "--log-level", "error"], other)).toMatchInlineSnapshot(`
      "$ rotate once --log-level error
      payments-api: blocked: the secret is kept by installation "default" (journal ID); if that one is gone for good: rotate --now payments-api --take-over
      1 blocked
      exit 1"
    `);
    expect(await run(["plan"], other)).toMatchInlineSnapshot(`
      "$ rotate plan
      payments-api  BLOCKED  the secret is kept by installation "default" (journal ID); if that one is gone for good: rotate --now payments-api --take-over
      exit 0"
    `);
  });

  test("which is taken over only when that is said", async () => {
    const other = { KEYTURN_JOURNAL: join(world.sandbox.folder, "second-journal.db") };
    const args = [...NOW, "--take-over"];
    expect(await session(world, args, { env: other })).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error --take-over
      payments-api: completed in TOOK; new key k1 is current; old key k2 deleted
      exit 0"
    `);
    expect(await session(world, NOW)).toMatchInlineSnapshot(`
      "$ rotate --now payments-api --log-level error
      payments-api: blocked: the secret is kept by installation "default" (journal ID); if that one is gone for good: rotate --now payments-api --take-over
      exit 1"
    `);
  });
});

test("a current value that cannot be proved to be any of the provider's keys is not touched until its hash is named", async () => {
  await using world = await startWorld();
  const { key, issued } = world.sandbox.model.create({ name: "made by hand" }, "another account");
  const { file, field } = world.sandbox.secret;
  await writeFile(file, JSON.stringify({ [field]: key.reveal() }));
  // The store keeps in mind that it has seen the edit.
  await session(world, NOW);
  expect(await changingNothing(world, () => session(world, NOW))).toMatchInlineSnapshot(`
    "$ rotate --now payments-api --log-level error
    payments-api: blocked: cannot prove which of the provider's keys the current value is; look its hash up in the provider's dashboard and write \`adopt: { hash: … }\` under payments-api
    exit 1"
  `);
  expect(world.sandbox.model.key(issued.hash, "another account")?.disabled).toBe(false);
});

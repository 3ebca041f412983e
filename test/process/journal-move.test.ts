import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "vitest";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { CONFIG_MAPS, LEASES } from "../../src/kubernetes/api.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { KubeModel } from "../kubernetes/model/kube-model.ts";
import { kubeconfigOf, serveModel } from "../kubernetes/model/serve.ts";
import { session } from "./transcript.ts";
import { currentHash, rotate, startWorld, type World } from "./world.ts";

const SQLITE = `journal: { type: sqlite, path: "\${KEYTURN_JOURNAL}" }`;
const KUBERNETES = "journal: { type: kubernetes, namespace: shop }";

async function edit({ policyFile }: World, before: string, after: string): Promise<void> {
  await writeFile(policyFile, (await readFile(policyFile, "utf8")).replace(before, after));
}

/** A cluster with an empty namespace, reached by the kubeconfig of the world's commands. */
async function startCluster(world: World) {
  const model = new KubeModel();
  const server = await serveModel(model);
  const kubeconfig = join(world.sandbox.folder, "kubeconfig");
  await writeFile(kubeconfig, kubeconfigOf({ server: server.url, context: "desk" }));
  world.env.KUBECONFIG = kubeconfig;
  return { model, [Symbol.asyncDispose]: () => server.close() };
}

describe.concurrent("a journal that is moved", { timeout: 90_000 }, () => {
  test("from a file to Kubernetes and back: each key's state goes with it, and rotations go on", async ({
    expect,
  }) => {
    await using world = await startWorld();
    await using cluster = await startCluster(world);
    const file = join(world.sandbox.folder, "keyturn.journal");
    const status = await session(world, ["status"]);

    expect(await session(world, ["journal", "export", "--output", file])).toMatchInlineSnapshot(`
      "$ rotate journal export --output DIR/keyturn.journal
      DIR/keyturn.journal: 1 target, 0 requests, 12 events
      the journal DIR/journal.db is out of use from now on: let \`journal\` in the policy name its new place, then: rotate journal import DIR/keyturn.journal
      exit 0"
    `);
    expect(await session(world, ["once"])).toMatchInlineSnapshot(`
      "$ rotate once
      | rotate: the journal DIR/journal.db was exported to be used elsewhere
      |   let \`journal\` in the policy name its new place; to use it here after all: rotate journal import FILE, with the file of that export
      exit 1"
    `);
    await edit(world, SQLITE, KUBERNETES);
    expect(await session(world, ["status"])).toContain("new");
    expect(cluster.model.all(CONFIG_MAPS, "shop")).toEqual([]);
    expect(await session(world, ["journal", "import", file])).toMatchInlineSnapshot(`
      "$ rotate journal import DIR/keyturn.journal
      the journal keyturn in namespace shop: 1 target, 0 requests, 12 events
      exit 0"
    `);
    expect(await session(world, ["status"])).toBe(status);
    expect(await session(world, ["journal", "import", file])).toMatchInlineSnapshot(`
      "$ rotate journal import DIR/keyturn.journal
      | rotate: the journal keyturn in namespace shop is there already and is not empty
      |   a journal is never merged into another; to give up what is there: kubectl delete configmaps -n shop -l keyturn.dev/journal=keyturn
      exit 1"
    `);

    const before = currentHash(world);
    expect((await rotate(world, ["--now", "payments-api", "--log-level", "error"])).status).toBe(0);
    expect(currentHash(world)).not.toBe(before);
    expect(cluster.model.all(LEASES, "shop")).toHaveLength(1);
    const kept = JSON.stringify(cluster.model.all(CONFIG_MAPS, "shop"));
    expect(kept).not.toMatch(/sk-or-v1-[0-9a-f]{16}/);

    const back = join(world.sandbox.folder, "back.journal");
    expect((await rotate(world, ["journal", "export", "--output", back, "--json"])).status).toBe(0);
    await edit(world, KUBERNETES, SQLITE.replace('" }', '.new" }'));
    const imported = await rotate(world, ["journal", "import", back, "--json"]);
    expect(JSON.parse(imported.stdout)).toMatchObject({ returned: false, targets: 1, requests: 0 });
    const history = await rotate(world, ["history", "--json", "--limit", "1000"]);
    const { events } = JSON.parse(history.stdout);
    expect(events).toHaveLength(JSON.parse(imported.stdout).events);
    expect((await rotate(world, ["--now", "payments-api", "--log-level", "error"])).status).toBe(0);
    await world.sandbox.stopTraffic();
    expect(world.sandbox.stats().flatMap((consumer) => consumer.failures)).toEqual([]);
  });

  test("is back in use after an export that led nowhere; a copy changes nothing", async ({ expect }) => {
    await using world = await startWorld();
    const file = join(world.sandbox.folder, "keyturn.journal");
    const copy = await rotate(world, ["journal", "export", "--copy"]);
    expect(copy.status).toBe(0);
    await writeFile(file, copy.stdout);
    expect((await rotate(world, ["once"])).status).toBe(0);
    expect(await session(world, ["journal", "import", file])).toMatchInlineSnapshot(`
      "$ rotate journal import DIR/keyturn.journal
      | rotate: DIR/keyturn.journal is a copy: the journal it was taken from is still in use
      |   export without --copy to move a journal; --restore imports a copy of one that is lost for good
      exit 2"
    `);

    const move = join(world.sandbox.folder, "move.journal");
    expect(await session(world, ["journal", "export", "--output", file])).toMatchInlineSnapshot(`
      "$ rotate journal export --output DIR/keyturn.journal
      | rotate: DIR/keyturn.journal is there already
      |   choose another name; an export is written again as often as it is asked for
      exit 2"
    `);
    expect(await session(world, ["journal", "export", "--json"])).toMatchInlineSnapshot(`
      "$ rotate journal export --json
      | rotate: --json and the export cannot both go to standard output
      |   name a file for the export: --output FILE
      exit 2"
    `);
    expect((await rotate(world, ["journal", "export", "--output", move])).status).toBe(0);
    expect((await rotate(world, ["status"])).status).toBe(1);
    expect(await session(world, ["journal", "import", move])).toMatchInlineSnapshot(`
      "$ rotate journal import DIR/move.journal
      the journal DIR/journal.db is in use again; it holds what it held on TIME
      exit 0"
    `);
    expect((await rotate(world, ["once"])).status).toBe(0);
  });

  test("is not, while a worker works with it, nor when it is not there", async ({ expect }) => {
    await using world = await startWorld();
    const parts = { clock: systemClock, random: systemRandom };
    const worker = await openSqliteJournal(world.env.KEYTURN_JOURNAL as string, parts);
    await worker.acquire("local/payments-api", 60_000);
    const file = join(world.sandbox.folder, "keyturn.journal");
    expect(await session(world, ["journal", "export", "--output", file])).toMatchInlineSnapshot(`
      "$ rotate journal export --output DIR/keyturn.journal
      | rotate: the journal DIR/journal.db is in use: a worker holds the lease of local/payments-api
      |   stop every worker and CronJob that uses this policy, and try again
      exit 1"
    `);
    expect(existsSync(file)).toBe(false);
    await worker.close();
    expect((await rotate(world, ["once"])).status).toBe(0);
    world.env.KEYTURN_JOURNAL = join(world.sandbox.folder, "none.db");
    expect(await session(world, ["journal", "export"])).toMatchInlineSnapshot(`
      "$ rotate journal export
      | rotate: there is no journal DIR/none.db to export
      |   check \`journal\` in the policy
      exit 1"
    `);
    expect(existsSync(world.env.KEYTURN_JOURNAL)).toBe(false);
  });
});

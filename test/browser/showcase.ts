import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TargetDocument } from "../../src/journal/document.ts";
import { seal, unseal } from "../../src/journal/seal.ts";
import { fingerprint } from "../../src/lib/secret.ts";
import { rotate, startWorker, startWorld, type World } from "../process/world.ts";

const DAY = 86_400_000;

/** Keys that need nothing, with their schedules and how many days ago they were last rotated. */
const QUIET: Readonly<Record<string, { lines: string; daysOld: number }>> = {
  search: { lines: "schedule: { every: 14d }, retire: { after: 1s, watch: 1s }", daysOld: 11.2 },
  "recommendations-eu": { lines: "schedule: { every: 30d }, retire: { after: 1s, watch: 1s }", daysOld: 8.4 },
  "recommendations-us": {
    lines: "schedule: { every: 30d }, retire: { after: 1s, watch: 1s }",
    daysOld: 15.1,
  },
  "batch-evals": {
    lines: "schedule: { every: 30d }, settings: { expiresAfter: 45d }, retire: { after: 1s, watch: 1s }",
    daysOld: 0.3,
  },
  translations: { lines: "schedule: { every: 7d }, retire: { after: 1s, watch: 1s }", daysOld: 2.6 },
  "docs-assistant": { lines: "schedule: { every: 90d }, retire: { after: 1s, watch: 1s }", daysOld: 63 },
  prototype: { lines: "schedule: none, suspend: true, retire: { after: 1s, watch: 1s }", daysOld: 0 },
};

export interface Showcase {
  world: World;
  /** Of the status page. */
  url: string;
  /** What the worker has logged. */
  log(): string;
  /** The consumer of support-bot that lags behind takes its new key. */
  catchUp(): void;
  /** Asks for a rotation, as a person would. */
  rotate(key: string): Promise<void>;
  stopWorker(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A worker over the sandbox: payments-api, whose consumer billing never takes a new key up by
 * itself; support-bot, of whose three instances one lags; and keys that need nothing.
 */
export async function startShowcase(): Promise<Showcase> {
  const support = await startSupport();
  const extra = Object.entries(QUIET).map(
    ([name, { lines }]) =>
      `  - { name: ${name}, provider: openrouter, ${lines}, store: { use: local, secret: ${name} }, consumers: none }\n`,
  );
  const world = await startWorld({
    applyDelays: { payments: 20, billing: 3_600_000 },
    policy: (yaml) =>
      `${yaml
        .replace("keys:\n", "server: { port: 0 }\nkeys:\n")
        .replace("successThreshold: 2", "successThreshold: 3")
        .replace("interval: 50ms", "interval: 500ms")}
  - name: support-bot
    provider: openrouter
    schedule: { every: 30d }
    store: { use: local, secret: support-bot }
    consumers: [{ name: support, probe: { http: [${support.urls.join(", ")}] } }]
    confirm: { timeout: 2s, interval: 200ms, successThreshold: 2 }
    retire: { watch: 100ms }
${extra.join("")}`,
  });
  support.read(join(world.env.KEYTURN_STORE ?? "", "support-bot"));
  await provisioned(world);
  setBack(world.env.KEYTURN_JOURNAL ?? "");
  const worker = startWorker(world);
  await worker.says(/serves \/healthz/);
  let stopping: Promise<unknown> | undefined;
  const stopped = async () => {
    stopping ??= worker.stop();
    await stopping;
  };
  const port = /"port":(\d+)/.exec(worker.log())?.[1];
  return {
    world,
    url: `http://127.0.0.1:${port}`,
    log: worker.log,
    catchUp: support.catchUp,
    async rotate(key) {
      await rotate(world, ["--now", key, "--deadline", "10ms"]);
    },
    stopWorker: stopped,
    async stop() {
      await stopped();
      support.close();
      await world.sandbox.close();
    },
  };
}

/** Every key has its first value. */
async function provisioned(world: World): Promise<void> {
  const { status, stderr } = await rotate(world, ["once", "--deadline", "60s"]);
  if (status !== 0) throw new Error(`the first keys could not be made: ${stderr}`);
}

/** Makes the keys as old as {@link QUIET} says; what is due is then computed anew. */
function setBack(journal: string): void {
  const db = new DatabaseSync(journal);
  const rows = db.prepare("SELECT target, document FROM targets WHERE document IS NOT NULL").all();
  for (const row of rows) {
    const document = JSON.parse(unseal(String(row.document)) ?? "") as TargetDocument;
    for (const { name, current } of Object.values(document.keys)) {
      const days = QUIET[name]?.daysOld ?? (name === "support-bot" ? 21.5 : 12.7);
      if (current) current.since -= days * DAY;
      for (const issued of Object.values(document.issued))
        if (issued.createdAt !== undefined) issued.createdAt -= days * DAY;
    }
    db.prepare("UPDATE targets SET document = ? WHERE target = ?").run(seal(document), String(row.target));
  }
  db.close();
}

/** Three instances of one consumer, the last of which keeps its first key until it is told to catch up. */
async function startSupport() {
  let file = "";
  let lags = true;
  let first: string | undefined;
  const current = () => {
    try {
      return fingerprint(readFileSync(file, "utf8").trim());
    } catch {
      return undefined;
    }
  };
  const servers = await Promise.all(
    ["support-5d8c-k2x9p", "support-5d8c-qm4tz", "support-5d8c-w7hvd"].map(async (instance, index) => {
      const server = createServer((_, response) => {
        const now = current();
        first ??= now;
        const serving = (index === 2 && lags ? first : now) ?? null;
        const keys = { "support-bot": { serving, holding: [] } };
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ status: "ok", instance, keys }));
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  return {
    urls: servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/healthz`),
    read: (path: string) => {
      file = path;
    },
    catchUp: () => {
      lags = false;
    },
    close: () => {
      for (const server of servers) server.close();
    },
  };
}

import { afterAll, describe, expect, test } from "vitest";
import { emptyDocument } from "../../../src/journal/document.ts";
import type { Journal } from "../../../src/journal/journal.ts";
import { objectName } from "../../../src/journal/kubernetes/names.ts";
import type { ConfigMap } from "../../../src/journal/kubernetes/objects.ts";
import { openKubernetesJournal } from "../../../src/journal/kubernetes/open.ts";
import { seal } from "../../../src/journal/seal.ts";
import { CONFIG_MAPS, EVENTS, type KubeObject, PODS } from "../../../src/kubernetes/api.ts";
import { pathOf } from "../../../src/kubernetes/call.ts";
import { kubeApi } from "../../../src/kubernetes/kube-api.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { describeJournal } from "../../conformance/journal.ts";
import { take } from "../../journal/kubernetes-bench.ts";
import { manualClock } from "../../journal/manual-clock.ts";
import { admin, connect, must, newNamespace, until } from "./cluster.ts";

const TTL = 60_000;
const T = "kubernetes:shop|payments";

interface Process {
  journal: Journal;
  pod: string;
}

/** A namespace with a journal in it, and processes that are pods of it. */
async function bench() {
  const config = { namespace: await newNamespace(), name: "keyturn" };
  const clock = manualClock();
  const opened: Journal[] = [];
  let pods = 0;
  const startPod = async () => {
    const name = `keyturn-${++pods}`;
    const pod = {
      metadata: { name },
      spec: { nodeName: "node-1", containers: [{ name: "worker", image: "example/keyturn:1" }] },
    };
    return admin.create<KubeObject>(PODS, config.namespace, pod);
  };
  const process = async (): Promise<Process> => {
    const { metadata } = await startPod();
    const { name, uid = "" } = metadata;
    const journal = await openKubernetesJournal(config, {
      kube: kubeApi(async () => ({ ...(await connect("admin")), name: "in-cluster" })),
      clock,
      random: systemRandom,
      holder: { host: "desk", pod: { namespace: config.namespace, name, uid } },
      log: () => {},
    });
    opened.push(journal);
    return { journal, pod: name };
  };
  return {
    config,
    clock,
    process,
    open: async () => (await process()).journal,
    /** The kubelet has stopped it and it is gone. */
    async remove(pod: string) {
      const body = { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: 0 };
      await must({ method: "DELETE", path: pathOf(PODS, config.namespace, pod), body });
    },
    async evict(pod: string) {
      const path = `${pathOf(PODS, config.namespace, pod)}/status`;
      await must({ method: "PATCH", path, body: { status: { phase: "Failed", reason: "Evicted" } } });
    },
    async overwrite(target: string, text: string) {
      const name = objectName(config.name, target);
      const document = text.endsWith("}") ? seal(JSON.parse(text)) : text;
      await admin.patch<ConfigMap>(CONFIG_MAPS, config.namespace, name, { data: { document } });
    },
    close: () => Promise.all(opened.map((journal) => journal.close())),
  };
}

describeJournal("kubernetes, on a real API server", async () => {
  const { clock, open, process, remove, overwrite } = await bench();
  return {
    clock,
    open,
    async dieHolding(target, ttlMs) {
      const { journal, pod } = await process();
      await journal.acquire(target, ttlMs);
      await remove(pod);
    },
    overwrite,
    dispose: async () => {},
  };
});

describe("on a real API server, a journal", () => {
  const benches: Awaited<ReturnType<typeof bench>>[] = [];
  const newBench = async () => {
    const made = await bench();
    benches.push(made);
    return made;
  };
  afterAll(() => Promise.all(benches.map((one) => one.close())));

  test("gives one of many that ask at once the lease", async () => {
    const { open } = await newBench();
    const journals = await Promise.all(Array.from({ length: 6 }, open));
    const leases = await Promise.all(journals.map((journal) => journal.acquire(T, TTL)));
    expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1);
  });

  test("is made once by many that open it at once", async () => {
    const { open } = await newBench();
    const journals = await Promise.all(Array.from({ length: 6 }, open));
    expect(new Set(journals.map(({ id }) => id)).size).toBe(1);
  });

  test("takes no write from a holder whose lease another has taken, whoever comes first", async () => {
    const { open, clock } = await newBench();
    const [old, next] = [await open(), await open()];
    const lost = await take(old, T, TTL);
    clock.advance(TTL + 1_000);
    const won = await take(next, T, TTL);
    const write = (journal: Journal, lease: typeof lost, name: string) =>
      journal.commit(lease, {
        document: { ...emptyDocument(), keys: { "": { name, provider: "openrouter" } } },
        events: [],
      });
    const [late] = await Promise.allSettled([write(old, lost, "late"), write(next, won, "good")]);
    expect(late).toMatchObject({ status: "rejected", reason: { code: "busy" } });
    expect((await open().then((journal) => journal.read(T))).document.keys[""]?.name).toBe("good");
  });

  test("gives the lease of an evicted pod away before it has run out", async () => {
    const { process, open, evict } = await newBench();
    const evicted = await process();
    await take(evicted.journal, T, TTL);
    const next = await open();
    expect(await next.acquire(T, TTL)).toBeUndefined();
    await evict(evicted.pod);
    expect(await next.acquire(T, TTL)).toMatchObject({ target: T });
  });

  test("shows what happened as Kubernetes Events of its ConfigMap", async () => {
    const { open, config, clock } = await newBench();
    const journal = await open();
    await journal.commit(await take(journal, T, TTL), {
      document: emptyDocument(),
      events: [
        {
          at: clock.now(),
          key: "payments-api",
          actor: "schedule",
          kind: "plan",
          reason: "due",
          message: "a rotation was planned",
        },
      ],
    });
    const [event] = await until("the event", async () => {
      const { items } = await admin.list<KubeObject & { message?: string }>(EVENTS, config.namespace);
      return items.length > 0 && items;
    });
    expect(event).toMatchObject({
      message: expect.stringContaining("a rotation was planned"),
      involvedObject: { kind: "ConfigMap", name: objectName(config.name, T) },
    });
  });
});

import { expect, test } from "vitest";
import { DEPLOYMENTS, EXTERNAL_SECRETS, type KubeObject, SECRETS } from "../../src/kubernetes/api.ts";
import { kubeApi } from "../../src/kubernetes/kube-api.ts";
import { kubernetesStore } from "../../src/stores/kubernetes/store.ts";
import { KubeModel } from "../kubernetes/model/kube-model.ts";
import { type Pod, Workloads } from "../kubernetes/model/workloads.ts";
import { FIELD, hashOf, scenario } from "./scenario.ts";

const ROLLOUT = {
  name: "payments",
  reload: { kubernetes: { restart: "deployment/payments" } },
  probe: { kubernetes: { rollout: "deployment/payments" } },
};

/** A Deployment of three pods that read their key from a Secret at their start, and a cluster that goes on by itself. */
async function shop(key: Record<string, unknown> = {}) {
  const world = await scenario({
    existing: false,
    key: {
      store: { use: "cluster", secret: "payments-openrouter", field: FIELD },
      consumers: [ROLLOUT],
      ...key,
    },
  });
  const { clock, random } = world;
  const model = new KubeModel({ clock });
  const kube = kubeApi(async () => ({ send: model.send, namespace: "shop", name: "model" }), {
    clock,
    random,
  });
  const store = kubernetesStore(
    "cluster",
    { type: "kubernetes", namespace: "shop" },
    { kube, clock, random },
  );
  const inSecret = () => {
    const data = model.find<KubeObject & { data: Record<string, string> }>(
      SECRETS,
      "shop",
      "payments-openrouter",
    )?.data;
    return Buffer.from(data?.[FIELD] ?? "", "base64").toString();
  };
  const fill = (value: string) =>
    model.put(
      SECRETS,
      "shop",
      {
        metadata: { name: "payments-openrouter" },
        data: { [FIELD]: Buffer.from(value).toString("base64"), OTHER: "eA==" },
      } as unknown as KubeObject,
      "external-secrets",
    );
  const first = world.byHand();
  fill(first);
  const workloads = new Workloads(model);
  workloads.create(DEPLOYMENTS, "payments", { replicas: 3, secret: "payments-openrouter" });
  workloads.settle(DEPLOYMENTS, "payments");

  /** What each pod took into its environment when it was first seen. */
  const env = new Map<string, string>();
  const outages: string[] = [];
  let crashing: (key: string) => boolean = () => false;
  const pods = () => workloads.pods(DEPLOYMENTS, "payments");
  const stamp = (object: KubeObject) => object.metadata.annotations?.["key.keyturn.dev/payments-api"];
  const notice = () => {
    for (const pod of pods()) {
      const { uid = "", name } = pod.metadata;
      const serving = env.get(uid) ?? inSecret();
      if (!env.has(uid) && crashing(serving)) workloads.crash(pod);
      env.set(uid, serving);
      if (!world.live().some(({ hash }) => hash === hashOf(serving)) && !crashing(serving))
        outages.push(name);
    }
  };
  const newest = (pod: Pod) =>
    stamp(pod) ===
    workloads.get(DEPLOYMENTS, "payments").spec.template.metadata.annotations?.[
      "key.keyturn.dev/payments-api"
    ];
  let going = true;
  const go = async () => {
    while (going) {
      notice();
      const stuck = pods().some((pod) => newest(pod) && crashing(env.get(pod.metadata.uid ?? "") ?? ""));
      if (stuck) workloads.observe(DEPLOYMENTS, "payments");
      else workloads.advance(DEPLOYMENTS, "payments");
      notice();
      await clock.sleep(700);
    }
  };
  notice();
  const running = go();
  return {
    ...world,
    live: world.live,
    first,
    model,
    inSecret,
    fill,
    outages,
    pods,
    serving: () => [...new Set(pods().map((pod) => env.get(pod.metadata.uid ?? "")))],
    stamps: () => [...new Set(pods().map(stamp))],
    rotation: () =>
      workloads.get(DEPLOYMENTS, "payments").spec.template.metadata.annotations?.[
        "rotation.keyturn.dev/payments-api"
      ],
    generation: () => workloads.get(DEPLOYMENTS, "payments").metadata.generation ?? 0,
    /** As `kubectl replace` with a manifest that knows of no stamp. */
    replaceTemplate: () =>
      model.edit<ReturnType<typeof workloads.get>>(DEPLOYMENTS, "shop", "payments", ({ spec }) => {
        delete spec.template.metadata.annotations;
      }),
    crashWith: (which: (key: string) => boolean) => {
      crashing = which;
    },
    process: () =>
      world.process({
        kube,
        ...((key.store as { use?: string } | undefined)?.use === "local" ? {} : { store }),
      }),
    async end() {
      going = false;
      await running;
    },
  };
}

test("a Deployment fed through External Secrets is restarted once those have the new key", async () => {
  const world = await shop({
    store: { use: "local", secret: "payments", field: FIELD },
    consumers: [
      {
        name: "payments",
        reload: {
          kubernetes: { sync: "externalsecret/payments-openrouter", restart: "deployment/payments" },
        },
        probe: { kubernetes: { rollout: "deployment/payments" } },
      },
    ],
  });
  world.write({ [FIELD]: world.first });
  world.model.put(EXTERNAL_SECRETS, "shop", {
    metadata: { name: "payments-openrouter" },
    spec: { refreshInterval: "1h" },
  } as unknown as KubeObject);
  world.model.interpose(async (call, proceed) => {
    const answer = await proceed();
    if (call.verb === "patch" && call.resource === "externalsecrets")
      void world.clock.sleep(4_000).then(() => world.fill(world.current() ?? ""));
    return answer;
  });
  const result = await world.process().now({ within: 3_600_000 });
  await world.end();

  expect(result.outcome).toBe("deleted");
  expect(world.inSecret()).toBe(world.current());
  expect(world.serving()).toEqual([world.current()]);
  expect(world.outages).toEqual([]);
});

test("a Deployment that reads its key at its start is restarted once, and the old key goes when no pod has it", async () => {
  const world = await shop();
  const process = world.process();
  const generation = world.generation();
  const [plan] = await process.engine.plan(["payments-api"], { requested: "rotate" });
  expect(plan).toMatchObject({
    verb: "ROTATE",
    warnings: [expect.stringMatching(/^payments: a finished rollout proves that/)],
  });
  const result = await process.now({ within: 3_600_000 });
  await world.end();

  expect(result.outcome).toBe("deleted");
  expect(world.inSecret()).not.toBe(world.first);
  expect(world.serving()).toEqual([world.inSecret()]);
  expect(world.stamps()).toEqual([hashOf(world.inSecret())]);
  expect(world.generation() - generation).toBe(1);
  const rotations = new Set((await process.engine.history({})).map(({ rotation }) => rotation));
  expect(rotations).toContain(world.rotation());
  expect(world.outages).toEqual([]);
  expect(world.live().map(({ hash }) => hash)).toEqual([hashOf(world.inSecret())]);
  expect(world.revoked).toEqual([`disable ${hashOf(world.first)}`, `delete ${hashOf(world.first)}`]);
});

test("a rollout that never completes is reverted: the old key is current, and the pods are restarted with it", async () => {
  const world = await shop({ confirm: { timeout: "5m", interval: "5s", onTimeout: "rollback" } });
  world.crashWith((key) => key !== world.first);
  const process = world.process();
  const result = await process.now({ within: 3 * 3_600_000 });
  await world.end();

  expect(result.outcome).toBe("reverted");
  expect(world.inSecret()).toBe(world.first);
  expect(world.serving()).toEqual([world.first]);
  expect(world.stamps()).toEqual([hashOf(world.first)]);
  expect(world.outages).toEqual([]);
  expect(world.live().map(({ hash }) => hash)).toEqual([hashOf(world.first)]);
  const history = await process.engine.history({});
  expect(history.filter(({ kind }) => kind === "reloaded")).toHaveLength(2);
  expect(history.map(({ message }) => message).join("\n")).toMatch(/payments-\S+: CrashLoopBackOff/);
});

test("a Deployment whose template loses the stamp midway is restarted again, and the rotation goes on", async () => {
  const world = await shop({ retire: { after: "3m", watch: "1s", keepDisabledFor: "0s" } });
  const process = world.process();
  await process.now({ within: 120_000 });
  expect(world.stamps()).toEqual([hashOf(world.inSecret())]);
  world.replaceTemplate();
  const [result] = await process.once({ within: 3_600_000 });
  await world.end();

  expect(result?.outcome).toBe("deleted");
  expect(world.stamps()).toEqual([hashOf(world.inSecret())]);
  expect(world.outages).toEqual([]);
  const history = await process.engine.history({});
  expect(history.filter(({ kind }) => kind === "reloaded")).toHaveLength(2);
});

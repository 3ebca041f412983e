import { describe, expect, test } from "vitest";
import {
  DAEMON_SETS,
  DEPLOYMENTS,
  type KubeObject,
  SECRETS,
  STATEFUL_SETS,
} from "../../../src/kubernetes/api.ts";
import { confirms } from "../../../src/probes/probe.ts";
import { after, unreachable } from "../../kubernetes/model/faults.ts";
import { asked, type Cluster, cluster, lines, NEW, OLD, verdicts } from "./cluster.ts";

const ROLLOUT = { kubernetes: { rollout: "deployment/payments" } };
const look = (world: Cluster) => world.probe(ROLLOUT);

/** Two pods that were started with the old key. */
function running(resource = DEPLOYMENTS, replicas = 2): Cluster {
  const world = cluster();
  world.workloads.create(resource, "payments", { replicas, secret: "payments-openrouter" });
  world.workloads.settle(resource, "payments");
  return world;
}

/** The same with the new key in the Secret and the stamp on the template, and no pod replaced yet. */
async function stamped(resource = DEPLOYMENTS, replicas = 2): Promise<Cluster> {
  const world = running(resource, replicas);
  await world.pass(60_000);
  world.put(NEW);
  await world.pass(2_000);
  world.stamp(resource);
  return world;
}

async function finished(resource = DEPLOYMENTS, replicas = 2): Promise<Cluster> {
  const world = await stamped(resource, replicas);
  world.workloads.settle(resource, "payments");
  return world;
}

describe("a rollout confirms", () => {
  test.each([
    ["deployment", DEPLOYMENTS],
    ["statefulset", STATEFUL_SETS],
    ["daemonset", DAEMON_SETS],
  ])(
    "when every pod of a %s is of the stamped template and came after the Secret's change",
    async (kind, resource) => {
      const world = await finished(resource);
      const sweep = await world.probe({ kubernetes: { rollout: `${kind}/payments` } });
      expect(confirms(sweep)).toBe(true);
      expect(lines(sweep)[0]).toBe(`${kind}/payments confirms: 2 of 2 pods are new, 2 available`);
      expect(lines(sweep)[1]).toContain("was created at 12:01:02Z, after its Secret had the key (12:01:00Z)");
      expect(sweep.instances).toHaveLength(3);
    },
  );

  test("of a workload scaled to zero on purpose, and says so", async () => {
    const world = await finished(DEPLOYMENTS, 0);
    expect(lines(await look(world))).toEqual([
      "deployment/payments confirms: scaled to zero on purpose, no pod is left",
    ]);
  });

  test("under an earlier name of the key", async () => {
    const world = await finished();
    world.edit(DEPLOYMENTS, ({ spec }) => {
      spec.template.metadata.annotations = { "key.keyturn.dev/payments": asked.hash };
    });
    world.workloads.settle(DEPLOYMENTS, "payments");
    expect(confirms(await look(world))).toBe(true);
  });
});

describe("a rollout does not confirm", () => {
  test("before any stamp, and a workload that is well does not block a start", async () => {
    const sweep = await look(running());
    expect(new Set(verdicts(sweep))).toEqual(new Set(["other"]));
    expect(lines(sweep)[0]).toBe(
      "deployment/payments other: bears no stamp of payments-api on its pod template",
    );
  });

  test("by the stamp of another key", async () => {
    const world = await finished();
    world.stamp(DEPLOYMENTS, "beef");
    world.workloads.settle(DEPLOYMENTS, "payments");
    expect(new Set(verdicts(await look(world)))).toEqual(new Set(["other"]));
  });

  test("while its controller has not seen the stamp", async () => {
    expect(lines(await look(await stamped()))[0]).toBe(
      "deployment/payments other: was changed, and its controller has not taken that up yet",
    );
  });

  test("at any step on the way, and does at the end", async () => {
    for (const [kind, resource] of [
      ["deployment", DEPLOYMENTS],
      ["statefulset", STATEFUL_SETS],
      ["daemonset", DAEMON_SETS],
    ] as const) {
      const world = await stamped(resource, 3);
      const isNew = (pod: KubeObject) =>
        pod.metadata.annotations?.["key.keyturn.dev/payments-api"] === asked.hash;
      let steps = 0;
      while (world.workloads.advance(resource, "payments")) {
        steps += 1;
        const allNew = world.workloads.pods(resource, "payments").every(isNew);
        const sweep = await world.probe({ kubernetes: { rollout: `${kind}/payments` } });
        if (!allNew) expect(confirms(sweep), `${kind}, step ${steps}`).toBe(false);
      }
      expect(steps).toBeGreaterThan(5);
      expect(confirms(await world.probe({ kubernetes: { rollout: `${kind}/payments` } }))).toBe(true);
    }
  });

  test("of a StatefulSet whose controller does not call it done", async () => {
    const world = await finished(STATEFUL_SETS);
    const behind = (object: object) => {
      const { status } = object as { status: object };
      Object.assign(status, { currentRevision: "payments-earlier" });
    };
    world.edit(STATEFUL_SETS, behind, "status");
    const sweep = await world.probe({ kubernetes: { rollout: "statefulset/payments" } });
    expect(lines(sweep)[0]).toBe("statefulset/payments other: 2 of 2 pods are new, 2 available");
  });

  test("while an old pod is still terminating", async () => {
    const world = await stamped();
    const { workloads } = world;
    const old = workloads.pods(DEPLOYMENTS, "payments");
    workloads.observe(DEPLOYMENTS, "payments");
    workloads.start(DEPLOYMENTS, "payments");
    workloads.start(DEPLOYMENTS, "payments");
    for (const pod of old) workloads.terminate(pod);
    workloads.observe(DEPLOYMENTS, "payments");
    const sweep = await look(world);
    expect(lines(sweep)[0]).toBe("deployment/payments confirms: 2 of 2 pods are new, 2 available");
    expect(lines(sweep).filter((line) => line.includes("still terminating"))).toHaveLength(2);
    expect(confirms(sweep)).toBe(false);
    for (const pod of old) workloads.finish(pod);
    expect(confirms(await look(world))).toBe(true);
  });

  test("while a workload scaled to zero has a pod that has not ended", async () => {
    const world = await finished();
    world.edit(DEPLOYMENTS, ({ spec }) => {
      spec.replicas = 0;
    });
    const [pod] = world.workloads.pods(DEPLOYMENTS, "payments");
    for (const one of world.workloads.pods(DEPLOYMENTS, "payments")) world.workloads.terminate(one);
    world.workloads.observe(DEPLOYMENTS, "payments");
    expect(lines(await look(world))[0]).toBe(
      "deployment/payments other: scaled to zero on purpose, 2 pods have not ended yet",
    );
    expect(pod).toBeDefined();
  });

  test("while a pod of the stamped template was created in the second of the Secret's change", async () => {
    const world = running();
    await world.pass(60_000);
    world.put(NEW);
    world.stamp(DEPLOYMENTS);
    world.workloads.settle(DEPLOYMENTS, "payments");
    const sweep = await look(world);
    expect(confirms(sweep)).toBe(false);
    expect(lines(sweep)[1]).toMatch(
      /other: was created at 12:01:00Z, not after its Secret was changed \(12:01:00Z\): restart it$/,
    );
  });

  test("while the Secret was changed after the pods were created, though it carries the key", async () => {
    const world = await finished();
    world.put(OLD);
    await world.pass(5_000);
    world.put(NEW);
    expect(confirms(await look(world))).toBe(false);
    for (const pod of world.workloads.pods(DEPLOYMENTS, "payments")) {
      await world.pass(2_000);
      world.workloads.terminate(pod);
      world.workloads.finish(pod);
    }
    world.workloads.settle(DEPLOYMENTS, "payments");
    expect(confirms(await look(world))).toBe(true);
  });

  test("by a container that runs since before the Secret's change, by its node's clock", async () => {
    const world = await finished();
    const [pod] = world.workloads.pods(DEPLOYMENTS, "payments");
    world.podStatus(pod as never, ({ status }) => {
      for (const one of status.containerStatuses ?? []) {
        one.state = { running: { startedAt: "2027-03-10T12:00:59Z" } };
      }
    });
    expect(verdicts(await look(world)).sort()).toEqual(["confirms", "confirms", "other"]);
  });

  test("once the Secret carries another key", async () => {
    const world = await finished();
    world.put(OLD);
    expect(lines(await look(world))[0]).toBe(
      "deployment/payments other: reads Secret payments-openrouter, which does not carry the expected key",
    );
  });

  test("while the Secret still has the old key in another entry", async () => {
    const world = running();
    world.secret({ OPENROUTER_API_KEY: NEW, OTHER: OLD });
    await world.pass(2_000);
    world.stamp(DEPLOYMENTS);
    world.workloads.settle(DEPLOYMENTS, "payments");
    expect(lines(await look(world))[0]).toBe(
      "deployment/payments holds: reads Secret payments-openrouter, which still has the old key in OTHER",
    );
  });

  test("where another entry than the key's own has the new key", async () => {
    const world = running();
    world.secret({ OPENROUTER_API_KEY: OLD, OTHER: NEW });
    await world.pass(2_000);
    world.stamp(DEPLOYMENTS);
    world.workloads.settle(DEPLOYMENTS, "payments");
    expect(confirms(await look(world))).toBe(false);
  });

  test("where nothing tells when the Secret was changed", async () => {
    const world = await finished();
    world.model.interpose(async (call, proceed) => {
      const answer = await proceed();
      if (call.resource !== "secrets") return answer;
      const { managedFields: _, ...metadata } = (answer.body as KubeObject).metadata;
      return { ...answer, body: { ...(answer.body as object), metadata } };
    });
    expect(lines(await look(world))[0]).toBe(
      "deployment/payments unwell: reads Secret payments-openrouter, whose managedFields do not tell its age",
    );
  });
});

describe("who changed the Secret", () => {
  test("does not matter when it was another entry, by another manager", async () => {
    const world = await finished();
    await world.pass(60_000);
    world.secret({ OPENROUTER_API_KEY: NEW, OTHER: "x" }, { manager: "kubectl" });
    expect(confirms(await look(world))).toBe(true);
  });

  test("does not matter when only labels were changed by another manager", async () => {
    const world = await finished();
    await world.pass(60_000);
    world.model.edit(SECRETS, "shop", "payments-openrouter", ({ metadata }) => {
      metadata.labels = { team: "shop" };
    });
    expect(confirms(await look(world))).toBe(true);
  });
});

describe("an unhealthy workload is unwell, stamped or not", () => {
  test("one whose pods cannot pull their image, which is named", async () => {
    const world = await stamped(DEPLOYMENTS, 5);
    const { workloads } = world;
    workloads.observe(DEPLOYMENTS, "payments");
    workloads.start(DEPLOYMENTS, "payments");
    const stuck = workloads.start(DEPLOYMENTS, "payments", { ready: false });
    world.podStatus(stuck, ({ status }) => {
      status.phase = "Pending";
      for (const one of status.containerStatuses ?? [])
        one.state = { waiting: { reason: "ImagePullBackOff" } };
    });
    workloads.observe(DEPLOYMENTS, "payments");
    const said = lines(await look(world));
    expect(said[0]).toBe(
      `deployment/payments other: 2 of 5 pods are new, 6 available, 5 older, ${stuck.metadata.name}: ImagePullBackOff`,
    );
    expect(said).toContain(`${stuck.metadata.name} unwell: ImagePullBackOff`);
  });

  test("one that crashes", async () => {
    const world = running();
    for (const pod of world.workloads.pods(DEPLOYMENTS, "payments")) world.workloads.crash(pod);
    world.workloads.observe(DEPLOYMENTS, "payments");
    const sweep = await look(world);
    expect(new Set(verdicts(sweep))).toEqual(new Set(["unwell"]));
    expect(lines(sweep)[0]).toMatch(/2 of 2 pods are new, 0 available, payments-\S+: CrashLoopBackOff$/);
  });

  test("one with a pod that is not ready", async () => {
    const world = running();
    const [pod] = world.workloads.pods(DEPLOYMENTS, "payments");
    world.workloads.ready(pod as never, false);
    world.workloads.observe(DEPLOYMENTS, "payments");
    expect(lines(await look(world))[0]).toBe("deployment/payments unwell: 2 of 2 pods are new, 1 available");
  });

  test("one whose rollout never completes, in the cluster's words", async () => {
    const world = await stamped();
    world.workloads.observe(DEPLOYMENTS, "payments");
    const message = 'ReplicaSet "payments-7c9f" has timed out progressing.';
    world.edit(
      DEPLOYMENTS,
      (object) => {
        object.status = {
          ...object.status,
          conditions: [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded", message }],
        } as never;
      },
      "status",
    );
    expect(lines(await look(world))[0]).toBe(
      `deployment/payments unwell: ProgressDeadlineExceeded: ${message}`,
    );
  });

  test.each<[string, typeof DEPLOYMENTS, object, RegExp]>([
    [
      "deployment",
      DEPLOYMENTS,
      { paused: true },
      /is paused \(kubectl rollout resume deployment\/payments\)/,
    ],
    [
      "statefulset",
      STATEFUL_SETS,
      { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 1 } } },
      /has a partition: its pods below payments-1 would stay/,
    ],
    ["statefulset", STATEFUL_SETS, { updateStrategy: { type: "OnDelete" } }, /OnDelete/],
    ["daemonset", DAEMON_SETS, { updateStrategy: { type: "OnDelete" } }, /OnDelete/],
  ])("a %s that would not replace its pods", async (kind, resource, change, says) => {
    const world = running(resource);
    world.edit(resource, ({ spec }) => void Object.assign(spec, change));
    const sweep = await world.probe({ kubernetes: { rollout: `${kind}/payments` } });
    expect(sweep.instances[0]).toMatchObject({ verdict: "unwell", detail: expect.stringMatching(says) });
  });

  test("one whose Secret is gone", async () => {
    const world = running();
    world.model.remove(SECRETS, "shop", "payments-openrouter");
    expect(lines(await look(world))[0]).toBe(
      "deployment/payments unwell: reads Secret payments-openrouter, which is not there",
    );
  });
});

describe("which pods count", () => {
  test("finished ones do not, and those of another controller with the same labels do not", async () => {
    const world = await finished();
    const evicted = world.workloads.start(DEPLOYMENTS, "payments");
    world.podStatus(evicted, ({ status }) => {
      status.phase = "Failed";
    });
    world.workloads.create(DEPLOYMENTS, "canary", { labels: { app: "payments", track: "canary" } });
    world.workloads.settle(DEPLOYMENTS, "canary");
    const sweep = await look(world);
    expect(confirms(sweep)).toBe(true);
    expect(sweep.instances).toHaveLength(3);
  });

  test("one that lost its controller does", async () => {
    const world = running();
    const [orphan] = world.workloads.pods(DEPLOYMENTS, "payments");
    world.model.edit(
      { group: "", version: "v1", plural: "pods", kind: "Pod" },
      "shop",
      orphan?.metadata.name ?? "",
      ({ metadata }) => {
        delete metadata.ownerReferences;
      },
    );
    world.put(NEW);
    await world.pass(2_000);
    world.stamp(DEPLOYMENTS);
    world.workloads.settle(DEPLOYMENTS, "payments");
    const sweep = await look(world);
    expect(confirms(sweep)).toBe(false);
    expect(lines(sweep).filter((line) => line.includes(" other: "))).toHaveLength(1);
  });

  test("a change that comes between two reads is seen", async () => {
    const world = await finished();
    world.model.once(
      { verb: "get", resource: "secrets" },
      after(() => world.put(OLD)),
    );
    expect(confirms(await look(world))).toBe(false);
  });
});

describe("what cannot be read is a problem, and no instance", () => {
  test("a right that is missing is named, whole", async () => {
    const world = await finished();
    world.model.deny({ resources: ["pods"], verbs: ["list"] });
    const [problem, ...rest] = lines(await look(world));
    expect(problem).toMatch(
      /^problem: forbidden: allow list on pods in namespace shop: `rotate init --kubernetes-rbac`/,
    );
    expect(rest).toEqual([]);
  });

  test("a workload that is not there", async () => {
    expect(lines(await look(cluster()))).toEqual([
      "problem: there is no deployment/payments in namespace shop",
    ]);
  });

  test("an API that cannot be reached, or gives no answer", async () => {
    const world = await finished();
    world.model.once({ verb: "list" }, unreachable, 10);
    expect(lines(await look(world))).toEqual([
      "problem: cannot list pods in namespace shop: no connection to the API server (ECONNREFUSED)",
    ]);
    const silent = await finished();
    silent.model.once({ verb: "list" }, () => new Promise(() => {}));
    expect(lines(await look(silent))).toEqual(["problem: the Kubernetes API did not answer within 5s"]);
  });

  test("an expired token", async () => {
    const world = await finished();
    world.model.access.refuse();
    expect(lines(await look(world))[0]).toContain("does not accept our credentials (401)");
  });
});

describe("the Secret that is looked at", () => {
  test("is the one that the policy names", async () => {
    const world = running();
    world.secret({ KEY: NEW }, { name: "payments-env" });
    await world.pass(2_000);
    world.stamp(DEPLOYMENTS);
    world.workloads.settle(DEPLOYMENTS, "payments");
    const policy = { kubernetes: { rollout: "deployment/payments", secret: "payments-env" } };
    expect(confirms(await world.probe(policy))).toBe(true);
  });

  test("is the one that the ExternalSecret writes, where the reload has that refreshed", async () => {
    const world = running();
    world.externalSecret({ target: { name: "payments-env" } });
    world.secret({ KEY: NEW }, { name: "payments-env" });
    await world.pass(2_000);
    world.stamp(DEPLOYMENTS);
    world.workloads.settle(DEPLOYMENTS, "payments");
    const sync = { kubernetes: { sync: "externalsecret/payments" } };
    expect(confirms(await world.probe(ROLLOUT, sync))).toBe(true);
  });

  test("must be known", async () => {
    const world = running();
    const policy = { kubernetes: { rollout: "deployment/payments", namespace: "shop" } };
    const elsewhere = cluster(null);
    elsewhere.workloads.create(DEPLOYMENTS, "payments");
    expect(lines(await elsewhere.probe(policy))[0]).toMatch(
      /^problem: the policy does not say which Secret feeds deployment\/payments/,
    );
    expect(lines(await world.probe(policy))).toHaveLength(3);
  });
});

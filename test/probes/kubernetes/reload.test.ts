import { describe, expect, test } from "vitest";
import {
  DAEMON_SETS,
  DEPLOYMENTS,
  EXTERNAL_SECRETS,
  type KubeObject,
  STATEFUL_SETS,
} from "../../../src/kubernetes/api.ts";
import { after, lostAnswer, refused } from "../../kubernetes/model/faults.ts";
import { asked, type Cluster, cluster, NEW, OLD } from "./cluster.ts";

const RESTART = { restart: "deployment/payments" };
const SYNC = { sync: "externalsecret/payments" };
const run = (world: Cluster, kubernetes: object, rest: object = {}) => world.reload({ kubernetes, ...rest });

function shop(key = NEW): Cluster {
  const world = cluster();
  world.workloads.create(DEPLOYMENTS, "payments");
  world.put(key);
  return world;
}

/** Calls that write, as `verb resource`. */
const writes = ({ model }: Cluster) =>
  model.calls
    .filter(({ verb, user }) => !["get", "list"].includes(verb) && user.startsWith("system:serviceaccount:"))
    .map(({ verb, resource }) => `${verb} ${resource}`);

describe("a restart", () => {
  test.each([
    ["deployment", DEPLOYMENTS],
    ["statefulset", STATEFUL_SETS],
    ["daemonset", DAEMON_SETS],
  ])("stamps rotation and key on the pod template of a %s, and nothing else", async (kind, resource) => {
    const world = cluster();
    world.workloads.create(resource, "payments");
    world.put(NEW);
    const before = world.workloads.get(resource, "payments");
    await run(world, { restart: `${kind}/payments` });
    const after = world.workloads.get(resource, "payments");
    expect(after.spec).toEqual({
      ...before.spec,
      template: {
        ...before.spec.template,
        metadata: {
          ...before.spec.template.metadata,
          annotations: {
            "rotation.keyturn.dev/payments-api": "r1",
            "key.keyturn.dev/payments-api": "f00d",
          },
        },
      },
    });
    expect(after.metadata.generation).toBe((before.metadata.generation ?? 0) + 1);
  });

  test("keeps the annotations and stamps of others", async () => {
    const world = shop();
    world.edit(DEPLOYMENTS, ({ spec }) => {
      spec.template.metadata.annotations = {
        "key.keyturn.dev/billing": "b1",
        "prometheus.io/scrape": "true",
      };
    });
    await run(world, RESTART);
    expect(world.stamps(DEPLOYMENTS)).toMatchObject({
      "key.keyturn.dev/billing": "b1",
      "prometheus.io/scrape": "true",
      "key.keyturn.dev/payments-api": "f00d",
    });
  });

  test("is not made twice for the same key, and is for another one", async () => {
    const world = shop();
    await run(world, RESTART);
    const generation = () => world.workloads.get(DEPLOYMENTS, "payments").metadata.generation;
    const once = generation();
    await run(world, RESTART);
    expect(generation()).toBe(once);
    expect(writes(world)).toEqual(["patch deployments"]);

    world.put(OLD);
    const back = {
      ...asked,
      hash: "0ld",
      fingerprint: asked.outgoing[0] ?? "",
      outgoing: [asked.fingerprint],
    };
    await world.reload({ kubernetes: RESTART }, back);
    expect(world.stamps(DEPLOYMENTS)).toMatchObject({
      "key.keyturn.dev/payments-api": "0ld",
      "rotation.keyturn.dev/payments-api": "r1",
    });
    expect(generation()).toBe((once ?? 0) + 1);
  });

  test("is not made again after a lost answer", async () => {
    const world = shop();
    world.model.once({ verb: "patch", resource: "deployments" }, lostAnswer);
    await expect(run(world, RESTART)).rejects.toMatchObject({ code: "unclear" });
    const once = world.workloads.get(DEPLOYMENTS, "payments").metadata.generation;
    await run(world, RESTART);
    expect(world.workloads.get(DEPLOYMENTS, "payments").metadata.generation).toBe(once);
  });

  test("comes in a later second than the Secret's change", async () => {
    const world = shop();
    const start = world.clock.now();
    await run(world, RESTART);
    const patched = world.model.find<KubeObject>(DEPLOYMENTS, "shop", "payments")?.metadata.managedFields;
    const time = patched?.find(({ manager }) => manager === "keyturn")?.time ?? "";
    expect(Date.parse(time)).toBeGreaterThan(start);
  });

  test("waits for an API server whose clock is behind the Secret's time, and for no other", async () => {
    const late = shop();
    late.model.clockError = -7_000;
    const start = late.clock.now();
    await run(late, RESTART);
    expect(late.clock.now() - start).toBeGreaterThanOrEqual(7_000);

    const old = shop();
    await old.pass(60_000);
    const settled = old.clock.now();
    await run(old, RESTART);
    expect(old.clock.now() - settled).toBeLessThan(1_000);
  });

  test("does not wait beyond its timeout for such a clock", async () => {
    const world = shop();
    world.model.clockError = -3_600_000;
    await expect(run(world, RESTART)).rejects.toMatchObject({
      message:
        "reload of payments: the API server's clock did not pass the instant of the Secret's change within 30s",
    });
    expect(writes(world)).toEqual([]);
  });

  test("takes a workload that somebody changes meanwhile as it is then", async () => {
    const world = shop();
    const scale = () => {
      world.edit(DEPLOYMENTS, ({ spec }) => {
        spec.replicas = (spec.replicas ?? 0) + 1;
      });
    };
    world.model.once({ verb: "patch", resource: "deployments" }, after(scale), 2);
    await run(world, RESTART);
    expect(world.workloads.get(DEPLOYMENTS, "payments").spec.replicas).toBe(4);
    expect(world.stamps(DEPLOYMENTS)).toMatchObject({ "key.keyturn.dev/payments-api": "f00d" });
  });

  test("gives up on one that is changed all the time", async () => {
    const world = shop();
    let count = 0;
    const scale = () => {
      count += 1;
      world.edit(DEPLOYMENTS, ({ spec }) => void Object.assign(spec, { replicas: count + 10 }));
    };
    world.model.once({ verb: "patch", resource: "deployments" }, after(scale), 50);
    await expect(run(world, RESTART)).rejects.toMatchObject({ code: "conflict" });
    expect(count).toBeLessThan(10);
  });

  test.each<[string, typeof DEPLOYMENTS, object, RegExp, RegExp]>([
    [
      "deployment",
      DEPLOYMENTS,
      { paused: true },
      /is paused$/,
      /kubectl rollout resume deployment\/payments/,
    ],
    ["statefulset", STATEFUL_SETS, { updateStrategy: { type: "OnDelete" } }, /OnDelete/, /RollingUpdate/],
    ["daemonset", DAEMON_SETS, { updateStrategy: { type: "OnDelete" } }, /OnDelete/, /RollingUpdate/],
    [
      "statefulset",
      STATEFUL_SETS,
      { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } },
      /partition/,
      /partition of statefulset\/payments to 0/,
    ],
  ])("refuses a %s that would not replace its pods", async (kind, resource, change, says, hint) => {
    const world = cluster();
    world.workloads.create(resource, "payments");
    world.put(NEW);
    world.edit(resource, ({ spec }) => void Object.assign(spec, change));
    await expect(run(world, { restart: `${kind}/payments` })).rejects.toMatchObject({
      code: "unusable",
      message: expect.stringMatching(says),
      hint: expect.stringMatching(hint),
    });
    expect(writes(world)).toEqual([]);
  });

  test("names a workload that is not there, and a right that is missing", async () => {
    const world = cluster();
    world.put(NEW);
    await expect(run(world, RESTART)).rejects.toMatchObject({
      code: "absent",
      message: "reload of payments: there is no deployment/payments in namespace shop",
    });
    const denied = shop();
    denied.model.deny({ resources: ["deployments"], verbs: ["patch"] });
    await expect(run(denied, RESTART)).rejects.toMatchObject({
      code: "forbidden",
      hint: expect.stringMatching(/^allow patch on deployments\.apps\/payments in namespace shop/),
    });
  });
});

describe("the Secret", () => {
  test("is waited for until it carries the new key, and nothing restarts before", async () => {
    const world = shop(OLD);
    const started = run(world, RESTART);
    await world.pass(10_000);
    expect(writes(world)).toEqual([]);
    world.put(NEW);
    await started;
    expect(writes(world)).toEqual(["patch deployments"]);
  });

  test("that never carries it is what was waited for", async () => {
    await expect(run(shop(OLD), RESTART, { timeout: "20s" })).rejects.toMatchObject({
      code: "unclear",
      message:
        "reload of payments: Secret payments-openrouter in namespace shop did not get the new key within 20s",
    });
    await expect(run(shop(), { ...RESTART, secret: "payments-env" })).rejects.toMatchObject({
      message: "reload of payments: Secret payments-env in namespace shop did not appear within 30s",
    });
  });

  test("may be another's, in any entry", async () => {
    const world = shop(OLD);
    world.secret({ WHATEVER: NEW }, { name: "payments-env" });
    await run(world, { ...RESTART, secret: "payments-env" });
    expect(writes(world)).toEqual(["patch deployments"]);
  });

  test("is not waited for where none is known", async () => {
    const world = cluster(null);
    world.workloads.create(DEPLOYMENTS, "payments");
    await run(world, RESTART);
    expect(writes(world)).toEqual(["patch deployments"]);
  });

  test("that may not be read is named", async () => {
    const world = shop();
    world.model.deny({ resources: ["secrets"], verbs: ["get"] });
    await expect(run(world, RESTART)).rejects.toMatchObject({
      code: "forbidden",
      hint: expect.stringMatching(/^allow get on secrets\/payments-openrouter in namespace shop/),
    });
  });
});

describe("an ExternalSecret", () => {
  /** What External Secrets does: upon a changed annotation it writes the Secret. */
  function operator(world: Cluster, write: () => void): void {
    world.model.interpose(async (call, proceed) => {
      const answer = await proceed();
      if (call.verb === "patch" && call.resource === "externalsecrets" && answer.status === 200)
        void world.clock.sleep(3_000).then(write);
      return answer;
    });
  }

  test("is told to refresh, and its Secret waited for", async () => {
    const world = cluster();
    world.externalSecret({ target: { name: "payments-env" } });
    world.secret({ KEY: OLD }, { name: "payments-env" });
    operator(world, () => world.secret({ KEY: NEW }, { name: "payments-env" }));
    await run(world, SYNC);
    expect(writes(world)).toEqual(["patch externalsecrets"]);
    const { annotations } =
      world.model.find<KubeObject>(EXTERNAL_SECRETS, "shop", "payments")?.metadata ?? {};
    expect(annotations?.["force-sync"]).toMatch(/^\d+$/);
  });

  test("is told again by a repeat, with another value, while its Secret is not refreshed", async () => {
    const world = cluster();
    world.externalSecret();
    world.secret({ KEY: OLD }, { name: "payments" });
    const value = () =>
      world.model.find<KubeObject>(EXTERNAL_SECRETS, "shop", "payments")?.metadata.annotations?.[
        "force-sync"
      ];
    await expect(run(world, SYNC, { timeout: "2s" })).rejects.toMatchObject({ code: "unclear" });
    const first = value();
    await expect(run(world, SYNC, { timeout: "2s" })).rejects.toMatchObject({ code: "unclear" });
    expect(value()).not.toBe(first);
    expect(first).toBeDefined();
  });

  test("is left alone once its Secret carries the key, and the restart follows", async () => {
    const world = shop(OLD);
    world.externalSecret();
    world.secret({ KEY: NEW }, { name: "payments" });
    await run(world, { ...SYNC, ...RESTART });
    expect(writes(world)).toEqual(["patch deployments"]);
  });

  test("in error is reported in its own words, without keys", async () => {
    const world = cluster();
    world.externalSecret({}, [
      {
        type: "Ready",
        status: "False",
        reason: "SecretSyncedError",
        message: `could not get secret data from provider: AccessDenied for sk-or-v1-plaintext0123456789 ${"x".repeat(500)}`,
        lastTransitionTime: "2027-03-10T11:58:00Z",
      },
    ]);
    world.secret({ KEY: OLD }, { name: "payments" });
    await expect(run(world, SYNC)).rejects.toMatchObject({
      code: "unusable",
      message: expect.stringMatching(
        /^reload of payments: ExternalSecret payments is in error since 11:58:00Z: SecretSyncedError: could not get secret data from provider: AccessDenied for \[secret\] x+…$/,
      ),
      hint: "kubectl describe externalsecret payments --namespace shop",
    });
  });

  test("whose error was of an earlier refresh is waited for", async () => {
    const world = cluster();
    world.externalSecret({}, [{ type: "Ready", status: "False", reason: "SecretSyncedError" }]);
    operator(world, () => {
      world.conditions([{ type: "Ready", status: "True", reason: "SecretSynced" }]);
      void world.clock.sleep(8_000).then(() => world.secret({ KEY: NEW }, { name: "payments" }));
    });
    await run(world, SYNC);
  });

  test.each([
    [{ refreshPolicy: "CreatedOnce" }, /refreshPolicy CreatedOnce: it is never refreshed/],
    [{ refreshInterval: "0" }, /refreshInterval 0: it is never refreshed/],
    [{ refreshInterval: "0h0m0s" }, /refreshInterval 0h0m0s: it is never refreshed/],
  ])("that is never refreshed is refused: %j", async (spec, says) => {
    const world = cluster();
    world.externalSecret(spec);
    await expect(run(world, SYNC)).rejects.toMatchObject({
      code: "unusable",
      message: expect.stringMatching(says),
      hint: expect.stringMatching(/OnChange/),
    });
    expect(writes(world)).toEqual([]);
  });

  test.each([{ refreshPolicy: "OnChange", refreshInterval: "0" }, { refreshInterval: "10m0s" }])(
    "that refreshes when told to is not: %j",
    async (spec) => {
      const world = cluster();
      world.externalSecret(spec);
      operator(world, () => world.secret({ KEY: NEW }, { name: "payments" }));
      await run(world, SYNC);
    },
  );

  test("that is not there, or whose kind the cluster lacks, or that may not be changed", async () => {
    await expect(run(cluster(), SYNC)).rejects.toMatchObject({
      code: "absent",
      message: "reload of payments: there is no ExternalSecret payments in namespace shop",
    });
    const without = cluster();
    without.model.withoutKind(EXTERNAL_SECRETS);
    await expect(run(without, SYNC)).rejects.toMatchObject({
      code: "unusable",
      message: expect.stringContaining("the cluster has no kind ExternalSecret (external-secrets.io/v1)"),
      hint: expect.stringContaining("custom resource definition"),
    });
    const denied = cluster();
    denied.externalSecret();
    denied.model.deny({ resources: ["externalsecrets"], verbs: ["patch"] });
    await expect(run(denied, SYNC)).rejects.toMatchObject({
      code: "forbidden",
      hint: expect.stringMatching(/^allow patch on externalsecrets\.external-secrets\.io\/payments/),
    });
  });

  test("that writes a Secret which may not be read: the policy is to name it", async () => {
    const world = cluster();
    world.externalSecret({ target: { name: "payments-env" } });
    world.model.deny({ resources: ["secrets"], verbs: ["get"] });
    await expect(run(world, SYNC)).rejects.toMatchObject({
      code: "forbidden",
      hint: expect.stringMatching(/^write secret: payments-env beside sync: externalsecret\/payments, then/),
    });
  });

  test("of an earlier release of External Secrets is asked by the version that it has", async () => {
    const world = cluster();
    world.secret({ KEY: NEW }, { name: "payments-env" });
    world.model.interpose((call, proceed) => {
      if (call.resource !== "externalsecrets") return proceed();
      if (!call.request.path.includes("/v1beta1/"))
        return { status: 404, body: "404 page not found", headers: {} };
      const body = {
        kind: "ExternalSecret",
        metadata: { name: "payments", resourceVersion: "1" },
        spec: { target: { name: "payments-env" } },
      };
      return { status: 200, body, headers: {} };
    });
    await run(world, SYNC);
  });
});

test("a reload that is stopped says so, and does nothing more", async () => {
  const world = shop(OLD);
  const stop = new AbortController();
  const running = world.reload({ kubernetes: RESTART }, asked, stop.signal);
  await world.pass(1_000);
  stop.abort();
  await expect(running).rejects.toMatchObject({ message: "reload of payments: it was stopped" });
  world.put(NEW);
  await world.pass(60_000);
  expect(writes(world)).toEqual([]);
});

test("an API server that fails is reported with its status", async () => {
  const world = shop();
  world.model.once({ verb: "patch", resource: "deployments" }, refused(500));
  await expect(run(world, RESTART)).rejects.toMatchObject({ code: "unclear", status: 500 });
});

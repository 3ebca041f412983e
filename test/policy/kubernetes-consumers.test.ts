import { expect, test } from "vitest";
import { faults, load, notes, policyText } from "./setup.ts";

const HOME = "store: { use: cluster, secret: payments-openrouter, field: KEY }";
const STORE = "  cluster: { type: kubernetes, namespace: shop }";

/** A key in a Kubernetes store, with one consumer, written after its name. */
const inCluster = (rest: string, home = HOME) =>
  policyText({
    without: ["store", "consumers"],
    top: STORE,
    key: `${home}\nconsumers: [{ name: api, ${rest} }]`,
  });
const RELOAD = "reload: { kubernetes: { restart: deployment/payments } }";
const ROLLOUT = "probe: { kubernetes: { rollout: deployment/payments } }";
const consumerOf = async (text: string) => {
  const [key] = (await load(text)).policy.keys;
  return key?.consumers === "none" ? undefined : key?.consumers[0];
};

test("the shortest forms are enough, and defaults are filled in", async () => {
  expect(await consumerOf(inCluster(`${ROLLOUT}, ${RELOAD}`))).toMatchObject({
    probe: { kubernetes: { rollout: "deployment/payments" }, timeout: 5_000 },
    reload: { kubernetes: { restart: "deployment/payments" }, timeout: 30_000 },
  });
  const pods = "probe: { pods: { selector: app=payments, port: 8080, path: /healthz } }";
  expect(await consumerOf(inCluster(pods))).toMatchObject({
    probe: { pods: { selector: "app=payments", port: 8080, path: "/healthz", scheme: "http" } },
  });
  expect(await notes(inCluster(pods))).toEqual([]);
});

test("files of a pods probe are found from the policy's folder", async () => {
  const text = inCluster(
    "probe: { pods: { selector: app=a, port: 1, path: /, scheme: https, tls: { ca: ./ca.pem }, auth: { bearer: { file: token } } } }",
  );
  const { pods } = (await consumerOf(text))?.probe ?? {};
  expect(pods?.tls?.ca).toMatch(/^\/.*\/ca\.pem$/);
  expect(pods?.auth).toEqual({ bearer: { file: expect.stringMatching(/^\/.*\/token$/) } });
});

test("what a rollout does not prove is said", async () => {
  expect(await notes(inCluster(`${ROLLOUT}, ${RELOAD}`))).toMatchInlineSnapshot(`
    [
      "13:51  keys[0].consumers[0].probe.kubernetes: a finished rollout proves that every pod was created after its Secret had the new key, not that it uses that key; one that has the key from elsewhere (another Secret, a file, its image) goes unseen",
    ]
  `);
});

test("a rollout that nothing here restarts must be stamped by somebody, and it is said how", async () => {
  const [, restart] = await notes(inCluster(ROLLOUT));
  expect(restart).toMatchInlineSnapshot(
    `"13:62  keys[0].consumers[0].probe.kubernetes.rollout: nothing here restarts it: whoever does must set the annotation key.keyturn.dev/a of its pod template to the new key's hash, or it is never confirmed"`,
  );
  const both = `consumers: [{ name: api, ${ROLLOUT} }, { name: other, probe: { http: http://127.0.0.1:1/ }, ${RELOAD} }]`;
  const text = policyText({ without: ["store", "consumers"], top: STORE, key: `${HOME}\n${both}` });
  expect(await notes(text)).toHaveLength(1);
});

test("a rollout of another workload than the one restarted is refused", async () => {
  const other = "reload: { kubernetes: { restart: deployment/billing } }";
  const elsewhere = "reload: { kubernetes: { restart: deployment/payments, namespace: billing, secret: a } }";
  expect([
    ...(await faults(inCluster(`${ROLLOUT}, ${other}`))),
    ...(await faults(inCluster(`${ROLLOUT}, ${elsewhere}`))),
    ...(await faults(
      inCluster(
        "probe: { kubernetes: { rollout: deployment/payments, secret: a } }, reload: { kubernetes: { restart: deployment/payments, secret: b } }",
      ),
    )),
  ]).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:62  keys[0].consumers[0].probe.kubernetes.rollout: found deployment/payments, and the reload restarts deployment/billing",
      "probe the workload that is restarted; one more workload is one more consumer",
      "rotation.yaml:13:62  keys[0].consumers[0].probe.kubernetes.rollout: this is in another namespace than what the reload is about",
      "give both the same namespace; a workload elsewhere is another consumer",
      "rotation.yaml:13:91  keys[0].consumers[0].probe.kubernetes.secret: found a, and the reload waits for b",
      "its pods read one of the two: name that one",
    ]
  `);
  const same = "reload: { kubernetes: { restart: deployment/payments, namespace: shop } }";
  expect(await faults(inCluster(`${ROLLOUT}, ${same}`))).toEqual(["valid"]);
});

test("the Secret that the pods read is asked for where nothing tells it", async () => {
  const local = "store: { use: local, secret: a }";
  expect(await faults(inCluster(`${ROLLOUT}, ${RELOAD}`, local))).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:51  keys[0].consumers[0].probe.kubernetes: it is not known which Secret its pods read: the key itself does not lie in that namespace",
      "add secret: NAME",
    ]
  `);
  const elsewhere = "probe: { kubernetes: { rollout: deployment/payments, namespace: billing } }";
  expect((await faults(inCluster(elsewhere))).join()).toContain("add secret: NAME");
  for (const known of [
    "probe: { kubernetes: { rollout: deployment/payments, secret: payments-env } }",
    `${ROLLOUT}, reload: { kubernetes: { restart: deployment/payments, secret: payments-env } }`,
    `${ROLLOUT}, reload: { kubernetes: { restart: deployment/payments, sync: externalsecret/payments } }`,
  ]) {
    expect(await faults(inCluster(known, local))).toEqual(["valid"]);
  }
});

test("a consumer is asked in one way, and told in one", async () => {
  const pods = "pods: { selector: app=a, port: 1, path: / }";
  const rollout = "kubernetes: { rollout: deployment/payments }";
  expect([
    ...(await faults(inCluster(`probe: { ${pods}, ${rollout} }`))),
    ...(await faults(inCluster(`probe: { ${pods} }, reload: { kubernetes: {} }`))),
    ...(await faults(inCluster(`probe: { ${pods}, resolve: all }`))),
    ...(await faults(
      inCluster(`probe: { ${rollout}, instances: 2, expect: { status: 200 }, trustStatus: true }, ${RELOAD}`),
    )),
  ]).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:37  keys[0].consumers[0].probe: found pods and kubernetes; accepted: one of http, exec, pods, kubernetes",
      "rotation.yaml:13:108  keys[0].consumers[0].reload.kubernetes: found neither sync nor restart; accepted: one of the two, or both",
      "rotation.yaml:13:93  keys[0].consumers[0].probe.resolve: this belongs to an http probe; every pod is asked by its own address",
      "rotation.yaml:13:96  keys[0].consumers[0].probe.instances: this belongs to an http probe; a rollout is judged by what the cluster says of it",
      "rotation.yaml:13:107  keys[0].consumers[0].probe.expect: this belongs to an http probe; a rollout is judged by what the cluster says of it",
      "rotation.yaml:13:137  keys[0].consumers[0].probe.trustStatus: this belongs to an http probe; a rollout is judged by what the cluster says of it",
    ]
  `);
});

test("a pods probe whose expectation cannot tell the keys apart is refused as an http probe is", async () => {
  const pods = "pods: { selector: app=a, port: 1, path: / }, expect: { status: 200 }";
  expect((await faults(inCluster(`probe: { ${pods} }`))).join()).toContain("would confirm the old one too");
});

test("words that Kubernetes would not take are refused with what it takes", async () => {
  expect([
    ...(await faults(inCluster("probe: { kubernetes: { rollout: deploy/payments } }"))),
    ...(await faults(
      inCluster("probe: { pods: { selector: 'app=pay ments', port: 70000, path: healthz, scheme: ftp } }"),
    )),
    ...(await faults(inCluster(`${ROLLOUT}, reload: { kubernetes: { sync: payments, namespace: Shop } }`))),
  ]).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:62  keys[0].consumers[0].probe.kubernetes.rollout: found "deploy/payments"; accepted: deployment/NAME, statefulset/NAME or daemonset/NAME",
      "rotation.yaml:13:57  keys[0].consumers[0].probe.pods.selector: found "app=pay ments"; accepted: a label selector like app=payments",
      "rotation.yaml:13:80  keys[0].consumers[0].probe.pods.port: found 70000; accepted: a port from 1 to 65535",
      "rotation.yaml:13:93  keys[0].consumers[0].probe.pods.path: found "healthz"; accepted: a path like /healthz",
      "rotation.yaml:13:110  keys[0].consumers[0].probe.pods.scheme: found "ftp"; accepted: http, https",
      "rotation.yaml:13:117  keys[0].consumers[0].reload.kubernetes.sync: found "payments"; accepted: externalsecret/NAME",
      "rotation.yaml:13:138  keys[0].consumers[0].reload.kubernetes.namespace: found "Shop"; accepted: a Kubernetes namespace like shop",
    ]
  `);
});

test.each([
  "app=payments",
  "app == payments,tier!=canary",
  "app in (payments, billing),!canary",
  "app.kubernetes.io/name=payments",
  "tier notin (dev)",
  "app",
])("the selector %s is taken", async (selector) => {
  const pods = `pods: { selector: "${selector}", port: 1, path: / }`;
  expect(await faults(inCluster(`probe: { ${pods} }`))).toEqual(["valid"]);
});

test("a key whose name cannot stand in an annotation is not restarted by", async () => {
  const text = inCluster(`${ROLLOUT}, ${RELOAD}`).replace("- name: a", "- name: a-");
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:9:11  keys[0].name: it stands in annotations of the workloads that are restarted, and those end with a letter or digit",
    ]
  `);
});

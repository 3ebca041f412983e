import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { type KubeObject, SECRETS } from "../../../src/kubernetes/api.ts";
import { startSandbox } from "../../../src/sandbox/sandbox.ts";
import { companionName } from "../../../src/stores/kubernetes/names.ts";
import type { KubeSecret } from "../../../src/stores/kubernetes/secret-object.ts";
import { deadPort } from "../../probes/support.ts";
import { type RotateOptions, rotate, type World } from "../../process/world.ts";
import { admin, kubeconfigFor, must, sendAsAdmin, tokenOf, until } from "./cluster.ts";
import { podProcesses } from "./pod-process.ts";
import { ENTRY, openShop, SECRET } from "./shop.ts";

interface PolicyParts {
  namespace: string;
  hash: string;
  port: number;
  confirm: string;
}

const policyOf = ({ namespace, hash, port, confirm }: PolicyParts) => `
version: 1
providers:
  openrouter:
    type: openrouter
    managementKey: { env: OPENROUTER_MANAGEMENT_KEY }
    baseUrl: \${OPENROUTER_BASE_URL}
    rateLimit: { requestsPerSecond: 1000, concurrency: 8 }
stores:
  cluster: { type: kubernetes, namespace: ${namespace} }
journal: { type: kubernetes, namespace: ${namespace}, name: keyturn }
keys:
  - name: payments-api
    provider: openrouter
    schedule: { every: 30d }
    adopt: { hash: ${hash} }
    store: { use: cluster, secret: ${SECRET}, field: ${ENTRY} }
    consumers:
      - name: payments
        probe: { kubernetes: { rollout: deployment/payments } }
        reload: { kubernetes: { restart: deployment/payments } }
      - name: payments-pods
        probe: { pods: { selector: app=payments, port: ${port}, path: /healthz } }
    confirm: ${confirm}
    retire: { after: 500ms, watch: 500ms }
`;

const CONFIRM = "{ timeout: 5m, interval: 200ms, successThreshold: 2 }";

/**
 * A provider, a real API server with the real Deployment controller, pods whose processes call the
 * provider all the time with the key that they were started with, and the command, which runs as a
 * service account with the rights that it prints itself.
 */
async function startWorld({ confirm = CONFIRM, rights = true, policy = (yaml: string) => yaml } = {}) {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "keyturn-real-"));
  starting.defer(() => rm(folder, { recursive: true }));
  const sandbox = await startSandbox({ requestsPerSecond: 1 });
  starting.defer(sandbox.close);
  const issued = await issue(sandbox.env);

  const port = await deadPort();
  let namespace = "";
  const surroundings = { secret: SECRET, entry: ENTRY, port, providerUrl: sandbox.providerUrl };
  const processes = podProcesses({ ...surroundings, namespace: () => namespace });
  const shop = await openShop(processes.hooks);
  starting.defer(processes.stop);
  starting.use(shop);
  namespace = shop.namespace;
  await shop.write(issued.key);
  await shop.run();

  const policyFile = join(folder, "rotation.yaml");
  const KUBECONFIG = join(folder, "kubeconfig");
  await writeFile(policyFile, policy(policyOf({ namespace, hash: issued.hash, port, confirm })));
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, ...sandbox.env, KEYTURN_POLICY: policyFile, KUBECONFIG };
  const world: World = { env, policyFile, sandbox, [Symbol.asyncDispose]: sandbox.close };
  const manifest = await rotate(world, ["init", "--kubernetes-rbac"]);
  if (manifest.status !== 0) throw new Error(manifest.stderr);
  await apply(manifest.stdout, (kind) => rights || kind === "ServiceAccount");
  await writeFile(KUBECONFIG, kubeconfigFor(await tokenOf(namespace, "keyturn"), namespace));

  const running = starting.move();
  const read = async (name: string) => (await admin.get<KubeSecret>(SECRETS, namespace, name)) as KubeSecret;
  return {
    sandbox,
    shop,
    issued,
    manifest: manifest.stdout,
    traffic: processes.traffic,
    run: (args: string[], options: RotateOptions = {}) => rotate(world, args, options),
    async current() {
      return Buffer.from((await read(SECRET)).data?.[ENTRY] ?? "", "base64").toString();
    },
    companion: () => read(companionName(SECRET)),
    /** Hashes of the keys that the provider has and that are enabled. */
    async enabled() {
      const keys = (await provider(sandbox.env, "GET")) as { data: { hash: string; disabled: boolean }[] };
      return keys.data.filter(({ disabled }) => !disabled).map(({ hash }) => hash);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function provider(env: Record<string, string>, method: string, body?: object): Promise<unknown> {
  const answer = await fetch(`${env.OPENROUTER_BASE_URL}/keys`, {
    method,
    headers: {
      authorization: `Bearer ${env.OPENROUTER_MANAGEMENT_KEY}`,
      "content-type": "application/json",
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  return answer.json();
}

/** A key that a person has made. */
async function issue(env: Record<string, string>): Promise<{ key: string; hash: string }> {
  const { key, data } = (await provider(env, "POST", { name: "payments" })) as {
    key: string;
    data: { hash: string };
  };
  return { key, hash: data.hash };
}

const PLACES: Readonly<Record<string, string>> = {
  ServiceAccount: "/api/v1|serviceaccounts",
  Secret: "/api/v1|secrets",
  ConfigMap: "/api/v1|configmaps",
  Lease: "/apis/coordination.k8s.io/v1|leases",
  Role: "/apis/rbac.authorization.k8s.io/v1|roles",
  RoleBinding: "/apis/rbac.authorization.k8s.io/v1|rolebindings",
};

/** Applies what a manifest says, as `kubectl apply --server-side` does; the server refuses fields that it does not know. */
async function apply(yaml: string, chosen: (kind: string) => boolean = () => true): Promise<void> {
  for (const document of parseAllDocuments(yaml)) {
    const object = document.toJS() as KubeObject;
    const { kind = "", metadata } = object;
    if (!chosen(kind)) continue;
    const [root, plural] = (PLACES[kind] ?? "").split("|");
    await must({
      method: "PATCH",
      path: `${root}/namespaces/${metadata.namespace}/${plural}/${metadata.name}`,
      contentType: "application/apply-patch+yaml",
      query: { fieldManager: "kubectl", fieldValidation: "Strict" },
      body: object,
    });
  }
}

describe.concurrent("on a real API server, as the service account that it asks for,", {
  timeout: 180_000,
}, () => {
  test("the command rotates a key without one failed request, and leaves nothing behind", async () => {
    await using world = await startWorld();
    const online = await world.run(["validate", "--online"]);
    expect(online).toMatchObject({ status: 0 });

    const pods = new Set((await world.shop.pods()).map(({ metadata }) => metadata.uid));
    const ended = await world.run(["--now"]);
    expect(ended.stdout).toMatch(
      /^payments-api: completed in .*; new key .* is current; old key .* deleted$/m,
    );
    expect(ended.status).toBe(0);

    const key = await world.current();
    expect(key).not.toBe(world.issued.key);
    const [hash, ...others] = await world.enabled();
    expect([hash, others]).toEqual([expect.not.stringContaining(world.issued.hash), []]);
    expect((await world.shop.pods()).filter(({ metadata }) => pods.has(metadata.uid))).toEqual([]);
    expect((await world.companion()).data ?? {}).toEqual({});
    expect(world.traffic.failures).toEqual([]);
    expect(world.traffic.sent).toBeGreaterThan(50);
    expect((await world.run(["status", "--exit-code"])).status).toBe(0);
    expect((await world.run(["history"])).stdout).toContain("payments-api");
    await apply(world.manifest);
    expect(await world.current()).toBe(key);
    expect((await world.run(["status", "--exit-code"])).stdout).toContain("completed");
  });

  test("a command that asks nobody breaks the pods, which shows that their calls tell", async () => {
    const asking = /consumers:\n[\s\S]*?(?= {4}confirm:)/;
    await using world = await startWorld({ policy: (yaml) => yaml.replace(asking, "consumers: none\n") });
    expect((await world.run(["--now"])).status).toBe(0);
    await until("a call with the old key", async () => world.traffic.failures.length > 0);
    expect(world.traffic.failures[0]).toMatch(/^401 /);
  });

  test("two commands at once make one rotation", async () => {
    await using world = await startWorld();
    const both = await Promise.all([world.run(["--now"]), world.run(["--now"])]);
    expect(both.map(({ status }) => status)).toEqual([0, 0]);
    const made = world.sandbox.model.requests.filter(
      ({ method, path }) => method === "POST" && path.endsWith("/keys"),
    );
    expect(made).toHaveLength(2);
    expect(await world.enabled()).toHaveLength(1);
    expect(world.traffic.failures).toEqual([]);
  });

  test("one that is killed in the middle is carried on by the next, once its lease has run out", async () => {
    await using world = await startWorld();
    let child: ChildProcess | undefined;
    const started = (one: ChildProcess) => {
      child = one;
    };
    const killed = world.run(["--now"], { started });
    await until("the promotion", async () => (await world.current()) !== world.issued.key);
    child?.kill("SIGKILL");
    expect((await killed).signal).toBe("SIGKILL");
    expect(await world.enabled()).toHaveLength(2);
    const next = await world.run(["--now", "--deadline", "150s"]);
    expect(next).toMatchObject({ status: 0 });
    expect(await world.enabled()).toHaveLength(1);
    expect(await world.current()).not.toBe(world.issued.key);
    expect(world.traffic.failures).toEqual([]);
  });

  test("a rollout that cannot start is taken back, and the pods have the old key again", async () => {
    const confirm = "{ timeout: 8s, interval: 200ms, successThreshold: 2, onTimeout: rollback }";
    await using world = await startWorld({ confirm });
    const before = (await world.shop.pods()).map(({ metadata }) => metadata.uid);
    // The pods of the first restart crash; those of the second, with the old key, run.
    let first = "";
    world.shop.hooks.stuck = ({ metadata }) => {
      const template = metadata.labels?.["pod-template-hash"] ?? "";
      if (before.includes(metadata.uid)) return undefined;
      first ||= template;
      return template === first ? "CrashLoopBackOff" : undefined;
    };
    const ended = await world.run(["--now"]);
    expect(ended.status).toBe(1);
    expect(ended.stdout).toContain("reverted");
    expect(await world.current()).toBe(world.issued.key);
    expect(await world.enabled()).toEqual([world.issued.hash]);
    expect(world.traffic.failures).toEqual([]);
  });

  test("without its rights it names them, and changes nothing", async () => {
    await using world = await startWorld({ rights: false });
    const online = await world.run(["validate", "--online"]);
    expect(online.status).toBe(1);
    expect(online.stdout + online.stderr).toMatch(/rotate init --kubernetes-rbac/);
    const ended = await world.run(["--now"]);
    expect(ended.status).toBe(1);
    expect(ended.stderr).toMatch(/allow (get|create) on configmaps\/keyturn in namespace/);
    expect(await world.current()).toBe(world.issued.key);
    expect(await world.enabled()).toEqual([world.issued.hash]);
  });

  test("none of its rights is of more than it needs: it may not list secrets or read others", async () => {
    await using world = await startWorld();
    const { namespace } = world.shop;
    await world.shop.write("x", { secret: "another" });
    const may = async (verb: string, resource: string, name?: string) => {
      const user = `system:serviceaccount:${namespace}:keyturn`;
      const { body } = await sendAsAdmin({
        method: "POST",
        path: "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        body: {
          apiVersion: "authorization.k8s.io/v1",
          kind: "SubjectAccessReview",
          spec: { user, resourceAttributes: { namespace, verb, resource, ...(name && { name }) } },
        },
      });
      return (body as { status: { allowed: boolean } }).status.allowed;
    };
    expect(await may("get", "secrets", SECRET)).toBe(true);
    expect(
      await Promise.all([
        may("list", "secrets"),
        may("get", "secrets", "another"),
        may("create", "secrets"),
        may("delete", "secrets", SECRET),
        may("watch", "pods"),
        may("create", "pods"),
      ]),
    ).toEqual([false, false, false, false, false, false]);
  });
});

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type KubeObject, LEASES, SECRETS } from "../../src/kubernetes/api.ts";
import { connectCluster } from "../../src/kubernetes/connect.ts";
import { kubeApi } from "../../src/kubernetes/kube-api.ts";
import { RotationError } from "../../src/lib/errors.ts";
import { authority, certificate, listen } from "../probes/support.ts";
import { lostAnswer } from "./model/faults.ts";
import { KubeModel, WORKER } from "./model/kube-model.ts";
import { kubeconfigOf, serveModel } from "./model/serve.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "keyturn-kube-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

async function served(options: Parameters<typeof serveModel>[1] = {}) {
  const model = new KubeModel();
  const server = await serveModel(model, options);
  onTestFinished(() => server.close());
  model.put(SECRETS, "shop", { metadata: { name: "payments" } });
  return { model, ...server };
}

type Connecting = Partial<Parameters<typeof connectCluster>[0]>;

/** The API by a kubeconfig of this text. */
function by(kubeconfig: string, rest: Connecting = {}) {
  const file = join(folder(), "config");
  writeFileSync(file, kubeconfig);
  return {
    file,
    api: kubeApi(() => connectCluster({ context: undefined, env: { KUBECONFIG: file }, ...rest })),
  };
}

const payments = (api: ReturnType<typeof kubeApi>) => api.get(SECRETS, "shop", "payments");

async function failure(work: Promise<unknown>): Promise<RotationError> {
  const thrown = await work.then(
    () => undefined,
    (cause) => cause,
  );
  expect(thrown).toBeInstanceOf(RotationError);
  return thrown as RotationError;
}

describe("a cluster is reached as kubectl reaches it", () => {
  it("by the current context, with its token and namespace", async () => {
    const { url } = await served();
    const { api } = by(kubeconfigOf({ server: url, context: "prod", namespace: "shop" }));
    expect(await api.cluster()).toEqual({ name: "prod", namespace: "shop" });
    const lease = await api.create<KubeObject>(LEASES, "shop", { metadata: { name: "worker" } });
    expect(
      await api.replace(LEASES, "shop", { ...lease, spec: { holderIdentity: "a" } } as never),
    ).toMatchObject({
      spec: { holderIdentity: "a" },
    });
    expect((await api.list(SECRETS, "shop", { labelSelector: "app!=x" })).items).toHaveLength(1);
    await api.delete(LEASES, "shop", "worker", { uid: lease.metadata.uid as string });
    expect(await api.get(LEASES, "shop", "worker")).toBeUndefined();
  });

  it("by another context, out of several files of which the first to name something holds", async () => {
    const [one, two] = [await served(), await served()];
    two.tokens.clear();
    two.tokens.set("token-of-two", WORKER);
    const first = kubeconfigOf({ server: one.url, context: "one" });
    const second = JSON.parse(kubeconfigOf({ server: two.url, context: "two", namespace: "" }));
    second.clusters[0].name = "second";
    second.users = [{ name: "me-two", user: { token: "token-of-two" } }];
    second.contexts[0].context = { cluster: "second", user: "me-two" };
    const home = folder();
    writeFileSync(join(home, "a"), first);
    writeFileSync(join(home, "b"), JSON.stringify(second));
    const env = { KUBECONFIG: `${home}/a:${home}/absent:${home}/b` };
    const api = kubeApi(() => connectCluster({ context: "two", env }));
    expect(await api.cluster()).toEqual({ name: "two", namespace: "default" });
    expect(await payments(api)).toBeDefined();
    const usual = kubeApi(() => connectCluster({ context: undefined, env }));
    expect(await usual.cluster()).toMatchObject({ name: "one" });
  });

  it("by ~/.kube/config, when nothing else is said", async () => {
    const { url } = await served();
    const home = folder();
    mkdirSync(join(home, ".kube"));
    writeFileSync(join(home, ".kube", "config"), kubeconfigOf({ server: url }));
    const api = kubeApi(() => connectCluster({ context: undefined, env: { HOME: home } }));
    expect(await payments(api)).toBeDefined();
  });

  it("by the pod's service account, whose token is read again when it has changed", async () => {
    const tls = await signed("localhost");
    const { url, tokens } = await served({ tls });
    const { hostname, port } = new URL(url);
    const account = folder();
    writeFileSync(join(account, "ca.crt"), tls.ca);
    writeFileSync(join(account, "token"), "worker-token\n");
    writeFileSync(join(account, "namespace"), "keyturn");
    const api = kubeApi(() =>
      connectCluster({
        context: undefined,
        env: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
        serviceAccount: account,
      }),
    );
    expect(await api.cluster()).toEqual({ name: "in-cluster", namespace: "keyturn" });
    expect(await payments(api)).toBeDefined();
    tokens.clear();
    tokens.set("rotated-token", WORKER);
    writeFileSync(join(account, "token"), "rotated-token\n");
    expect(await payments(api)).toBeDefined();
  });

  it("by a login plugin, which is asked again when its token is refused", async () => {
    const { url, tokens } = await served();
    const home = folder();
    const plugin = join(home, "login");
    const login = (token: string) =>
      writeFileSync(
        plugin,
        `#!/bin/sh\necho '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"${token}"}}'\n`,
        { mode: 0o755 },
      );
    login("worker-token");
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "./login" };
    const file = join(home, "config");
    writeFileSync(file, kubeconfigOf({ server: url, user: { exec } }));
    const api = kubeApi(() => connectCluster({ context: undefined, env: { KUBECONFIG: file } }));
    expect(await payments(api)).toBeDefined();
    tokens.clear();
    tokens.set("second-token", WORKER);
    login("second-token");
    expect(await payments(api)).toBeDefined();
  });
});

describe("connections and the library", () => {
  it("are kept: one connection serves many calls", async () => {
    const ports = new Set<number | undefined>();
    const port = await listen(
      createServer((request, response) => {
        ports.add(request.socket.remotePort);
        response.end('{"kind":"Secret","metadata":{"name":"payments","resourceVersion":"1"}}');
      }),
    );
    const { api } = by(kubeconfigOf({ server: `http://127.0.0.1:${port}` }));
    for (let i = 0; i < 5; i++) await payments(api);
    expect(ports.size).toBe(1);
  });

  it("is loaded by nothing but a first connection", () => {
    const source = join(import.meta.dirname, "../../src");
    const users = readdirSync(source, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .flatMap((path) => {
        const lines = readFileSync(join(source, path), "utf8").split("\n");
        return lines.filter((line) => line.includes('"@kubernetes/client-node')).map((line) => [path, line]);
      });
    expect(users).toEqual([["kubernetes/credentials.ts", expect.stringContaining("await import(")]]);
  });
});

describe("what is wrong with the way to a cluster is said", () => {
  it("no cluster at all", async () => {
    const error = await failure(connectCluster({ context: undefined, env: { HOME: folder() } }));
    expect(error).toMatchObject({ code: "unusable", message: "no Kubernetes cluster is configured here" });
    expect(error.hint).toContain("kind create cluster");
  });

  it("a context that is not there, with those that are", async () => {
    const { api } = by(kubeconfigOf({ server: "https://127.0.0.1:1", context: "prod-eu" }), {
      context: "prod",
    });
    const error = await failure(api.cluster());
    expect(error.message).toContain('has no context "prod"');
    expect(error).toMatchObject({ code: "unusable", hint: "its contexts: prod-eu" });
  });

  it.each([
    ["no YAML", "a: [b", "it is not YAML"],
    ["no kubeconfig", "hello", "it holds no clusters"],
    ["a cluster without a name", "clusters: [{ cluster: {} }]", "clusters[0] has no name"],
    ["lists that are none", "clusters: 7", "clusters is not a list"],
  ])("a damaged kubeconfig: %s", async (_, text, says) => {
    const { api, file } = by(text);
    const error = await failure(api.cluster());
    expect(error.code).toBe("unusable");
    expect(error.message).toContain(file);
    expect(error.message).toContain(says);
  });

  it("a damaged kubeconfig without quoting its tokens", async () => {
    const { api } = by("users:\n- name: me\n  user: {token: very-secret-token: [}\n");
    const error = await failure(api.cluster());
    expect(`${error.message} ${error.hint}`).not.toContain("very-secret");
  });

  it("a kubeconfig that is not there", async () => {
    const error = await failure(
      connectCluster({ context: undefined, env: { KUBECONFIG: "/nowhere/config" } }),
    );
    expect(error).toMatchObject({ code: "unusable", message: expect.stringContaining("/nowhere/config") });
  });

  it.each([
    ["a cluster that is missing", { cluster: "other", user: "me" }, "names a cluster that is not there"],
    ["a server in plain HTTP", { cluster: "it", user: "me" }, "over plain HTTP"],
  ])("%s", async (_, context, says) => {
    const config = JSON.parse(kubeconfigOf({ server: "http://127.0.0.1:1" }));
    config.clusters[0].cluster["insecure-skip-tls-verify"] = false;
    config.contexts[0].context = context;
    const error = await failure(by(JSON.stringify(config)).api.cluster());
    expect(error.code).toBe("unusable");
    expect(error.message).toContain(says);
  });

  it("nobody listening there", async () => {
    const port = await closedPort();
    const { api } = by(kubeconfigOf({ server: `http://127.0.0.1:${port}`, context: "prod" }));
    const error = await failure(payments(api));
    expect(error).toMatchObject({ code: "unreachable", hint: expect.stringContaining("context prod is up") });
    expect(error.message).toContain("cannot get Secret payments in namespace shop");
    expect(error.message).toContain("ECONNREFUSED");
  });

  it("a certificate of an authority that is not trusted, unless that is asked for", async () => {
    const tls = await signed("localhost");
    const { url } = await served({ tls });
    const error = await failure(payments(by(kubeconfigOf({ server: url })).api));
    expect(error).toMatchObject({
      code: "unreachable",
      hint: expect.stringContaining("certificate-authority"),
    });
    const data = Buffer.from(tls.ca).toString("base64");
    const trusting = kubeconfigOf({ server: url, cluster: { "certificate-authority-data": data } });
    expect(await payments(by(trusting).api)).toBeDefined();
    const careless = kubeconfigOf({ server: url, cluster: { "insecure-skip-tls-verify": true } });
    expect(await payments(by(careless).api)).toBeDefined();
  });

  it("a certificate for another name, unless tls-server-name gives it", async () => {
    const tls = await signed("api.internal");
    const { url } = await served({ tls });
    const data = { "certificate-authority-data": Buffer.from(tls.ca).toString("base64") };
    const error = await failure(payments(by(kubeconfigOf({ server: url, cluster: data })).api));
    expect(error).toMatchObject({ code: "unreachable", hint: expect.stringContaining("tls-server-name") });
    const named = { ...data, "tls-server-name": "api.internal" };
    expect(await payments(by(kubeconfigOf({ server: url, cluster: named })).api)).toBeDefined();
  });

  it("a token that has expired, without saying it", async () => {
    const { url } = await served();
    const error = await failure(payments(by(kubeconfigOf({ server: url, token: "old-token" })).api));
    expect(error).toMatchObject({ code: "unauthorized", status: 401 });
    expect(`${error.message} ${error.hint}`).not.toContain("old-token");
  });

  it("a login plugin that is not there, or that fails", async () => {
    const { url } = await served();
    const plugin = (exec: object) => by(kubeconfigOf({ server: url, user: { exec } })).api;
    const missing = await failure(payments(plugin({ command: "no-such-login-plugin" })));
    expect(missing).toMatchObject({
      code: "unusable",
      message: expect.stringContaining("no-such-login-plugin"),
    });
    const broken = await failure(
      payments(plugin({ command: "sh", args: ["-c", "echo 'session has ended' >&2; exit 1"] })),
    );
    expect(broken).toMatchObject({
      code: "unauthorized",
      message: expect.stringContaining("session has ended"),
    });
  });

  it("a certificate file that is not there", async () => {
    const { url } = await served();
    const { api, file } = by(kubeconfigOf({ server: url, user: { "client-certificate": "me.crt" } }));
    const error = await failure(payments(api));
    expect(error).toMatchObject({
      code: "unusable",
      message: expect.stringContaining(join(file, "../me.crt")),
    });
  });
});

describe("answers of anybody are bounded", () => {
  async function answering(listener: RequestListener, limits?: Connecting["limits"]) {
    const port = await listen(createServer(listener));
    return by(kubeconfigOf({ server: `http://127.0.0.1:${port}` }), limits ? { limits } : {}).api;
  }

  it("one that does not end", async () => {
    const api = await answering((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const more = () => {
        while (response.writable && response.write("x".repeat(65_536)));
        response.once("drain", more);
      };
      more();
    });
    expect(await failure(payments(api))).toMatchObject({ code: "malformed" });
  });

  it("one that does not come", async () => {
    const api = await answering(() => {}, { timeoutMs: 50 });
    expect(await failure(payments(api))).toMatchObject({ code: "unclear" });
  });

  it("one that is awaited no longer", async () => {
    const stop = new AbortController();
    const api = await answering(() => stop.abort());
    const error = await failure(api.get(SECRETS, "shop", "payments", stop.signal));
    expect(error).toMatchObject({ code: "unclear" });
  });

  it.each([
    ["HTML", "<html></html>"],
    ["cut off", '{"kind":"Secret","metadata":{"name":"pay'],
    ["empty", ""],
    ["a list of nothing", "[]"],
  ])("one that is %s", async (_, body) => {
    const api = await answering((_request, response) => void response.end(body));
    expect(await failure(payments(api))).toMatchObject({ code: "malformed", status: 200 });
  });

  it("a redirect is not followed, and takes no token elsewhere", async () => {
    let asked = 0;
    const api = await answering((request, response) => {
      asked++;
      response.writeHead(307, { location: `http://${request.headers.host}/login` }).end();
    });
    expect(await failure(payments(api))).toMatchObject({ code: "malformed", status: 307 });
    expect(asked).toBe(1);
  });

  it("one that breaks off leaves open whether a write was done", async () => {
    const { url, model } = await served();
    model.once({ verb: "create" }, lostAnswer);
    const { api } = by(kubeconfigOf({ server: url }));
    const error = await failure(api.create(SECRETS, "shop", { metadata: { name: "billing" } }));
    expect(error).toMatchObject({ code: "unclear" });
    expect(await api.get(SECRETS, "shop", "billing")).toBeDefined();
  });
});

/** A server's certificate for `name`, and the authority that signed it. */
async function signed(name: string) {
  const ca = await authority();
  return { ...(await certificate(name, ca)), ca: ca.cert };
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

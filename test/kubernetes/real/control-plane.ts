import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createWriteStream, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface ControlPlane {
  /** Path of a kubeconfig with a context for each of USERS. */
  kubeconfig: string;
  /** Stops every program and removes their folder. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Who may call: `admin` everything, `nobody` only what every user may. */
const USERS = { admin: "system:masters", nobody: "nobodies" };
const CONTROLLERS = [
  "deployment-controller",
  "replicaset-controller",
  "statefulset-controller",
  "daemonset-controller",
  "job-controller",
  "serviceaccount-controller",
  "namespace-controller",
  "garbage-collector-controller",
];
const START_TIMEOUT = 120_000;

/**
 * Starts etcd, kube-apiserver and the controllers of the folder `programs` on loopback, with RBAC and
 * the default admission plugins. There is no scheduler and no kubelet: a test is both.
 * Throws, with the end of the log, when one of them ends or is not ready in two minutes.
 */
export async function startControlPlane(programs: string): Promise<ControlPlane> {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-kubernetes-"));
  const started: Program[] = [];
  const stop = async () => {
    for (const program of started.toReversed()) await program.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const at = (name: string) => join(folder, name);
    const start = (name: string, flags: Record<string, string>) => {
      const program = startProgram(join(programs, name), flags, at(`${name}.log`));
      started.push(program);
      return program;
    };
    await mkdir(at("certificates"));
    const [client, peer, secure] = await freePorts(3);
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    await writeFile(at("tokens.key"), privateKey.export({ type: "pkcs8", format: "pem" }));
    await writeFile(at("tokens.pub"), publicKey.export({ type: "spki", format: "pem" }));
    const users = Object.entries(USERS).map(([name, group]) => {
      return { name, group, token: randomBytes(16).toString("hex") };
    });
    const lines = users.map(({ name, group, token }) => `${token},${name},${name},${group}\n`);
    await writeFile(at("users.csv"), lines.join(""));

    start("etcd", {
      "data-dir": at("etcd"),
      "listen-client-urls": `http://127.0.0.1:${client}`,
      "advertise-client-urls": `http://127.0.0.1:${client}`,
      "listen-peer-urls": `http://127.0.0.1:${peer}`,
      "initial-advertise-peer-urls": `http://127.0.0.1:${peer}`,
      "initial-cluster": `default=http://127.0.0.1:${peer}`,
      "unsafe-no-fsync": "true",
      "log-level": "warn",
    });
    const server = `https://127.0.0.1:${secure}`;
    const apiserver = start("kube-apiserver", {
      "etcd-servers": `http://127.0.0.1:${client}`,
      "bind-address": "127.0.0.1",
      "advertise-address": "127.0.0.1",
      "secure-port": `${secure}`,
      "cert-dir": at("certificates"),
      "authorization-mode": "RBAC",
      "token-auth-file": at("users.csv"),
      "service-account-issuer": "https://keyturn.test",
      "service-account-key-file": at("tokens.pub"),
      "service-account-signing-key-file": at("tokens.key"),
      "service-cluster-ip-range": "10.0.0.0/24",
      "endpoint-reconciler-type": "none",
    });
    const certificate = at("certificates/apiserver.crt");
    const admin = users.find(({ name }) => name === "admin")?.token ?? "";
    await apiserver.until(() => answers(`${server}/readyz`, certificate, admin));

    const kubeconfig = at("kubeconfig");
    await writeFile(kubeconfig, kubeconfigOf(server, await readFile(certificate), users));
    const controllers = start("kube-controller-manager", {
      kubeconfig,
      "bind-address": "127.0.0.1",
      "secure-port": "0",
      "leader-elect": "false",
      "service-account-private-key-file": at("tokens.key"),
      // None that minds nodes: the one that tests make gives no sign of life.
      controllers: CONTROLLERS.join(","),
    });
    await controllers.until(() =>
      answers(`${server}/api/v1/namespaces/default/serviceaccounts/default`, certificate, admin),
    );
    return { kubeconfig, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Program {
  /** Asks until the answer is yes; throws when the program has ended or two minutes are over. */
  until(ready: () => Promise<boolean>): Promise<void>;
  stop(): Promise<void>;
}

function startProgram(path: string, flags: Record<string, string>, log: string): Program {
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const child: ChildProcess = spawn(path, args, { stdio: ["ignore", "pipe", "pipe"] });
  const out = createWriteStream(log);
  child.stdout?.pipe(out, { end: false });
  child.stderr?.pipe(out, { end: false });
  let ended = "";
  const closed = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      ended = error.message;
      resolve();
    });
    child.once("close", (status, signal) => {
      ended ||= `ended with ${signal ?? status}`;
      out.end(resolve);
    });
  });
  const lastLines = () => readFileSync(log, "utf8").split("\n").slice(-20).join("\n");
  return {
    async until(ready) {
      const deadline = Date.now() + START_TIMEOUT;
      while (!(await ready())) {
        if (ended) throw new Error(`${path} ${ended}\n${lastLines()}`);
        if (Date.now() > deadline) throw new Error(`${path} is not ready\n${lastLines()}`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    },
    async stop() {
      if (!ended) child.kill("SIGKILL");
      await closed;
    },
  };
}

/** Whether a GET is answered with 200; false as long as the certificate is not there. */
async function answers(url: string, certificate: string, token: string): Promise<boolean> {
  try {
    const ca = await readFile(certificate);
    return await new Promise((resolve, reject) => {
      const asked = request(url, { ca, headers: { authorization: `Bearer ${token}` } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      });
      asked.on("error", reject).end();
    });
  } catch {
    return false;
  }
}

function kubeconfigOf(server: string, ca: Buffer, users: { name: string; token: string }[]): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server, "certificate-authority-data": ca.toString("base64") } }],
    users: users.map(({ name, token }) => ({ name, user: { token } })),
    contexts: users.map(({ name }) => ({ name, context: { cluster: "test", user: name } })),
    "current-context": "admin",
  });
}

/** Ports of loopback that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

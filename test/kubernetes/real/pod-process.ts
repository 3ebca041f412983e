import { createServer, type Server } from "node:http";
import { SECRETS } from "../../../src/kubernetes/api.ts";
import { fingerprint } from "../../../src/lib/secret.ts";
import type { KubeSecret } from "../../../src/stores/kubernetes/secret-object.ts";
import { contract } from "../../probes/support.ts";
import { admin } from "./cluster.ts";
import type { NodeHooks, Pod } from "./kubelet.ts";

/** Where the processes of a namespace's pods get their key, and whom they call with it. */
export interface Surroundings {
  namespace: () => string;
  secret: string;
  entry: string;
  /** Of the health answer, on each pod's own address. */
  port: number;
  /** Up to and with `/api/v1`. */
  providerUrl: string;
}

/** What the processes have sent in all. */
export interface Traffic {
  sent: number;
  failures: string[];
}

const PAUSE = 50;

/**
 * The service in the pods: reads the key from its environment at its start and never again, says at
 * `/healthz` with which key it serves, and calls the provider with it until it is stopped. Addresses
 * are of loopback.
 */
export function podProcesses({ namespace, secret, entry, port, providerUrl }: Surroundings) {
  const traffic: Traffic = { sent: 0, failures: [] };
  const running = new Map<string, { stop(): Promise<void> }>();
  let addresses = 10;

  const call = async (key: string) => {
    traffic.sent += 1;
    const answer = await fetch(`${providerUrl}/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "openai/gpt-4o-mini", messages: [{ role: "user", content: "hello" }] }),
    });
    if (!answer.ok) traffic.failures.push(`${answer.status} ${await answer.text()}`);
    else await answer.arrayBuffer();
  };

  const start = async ({ metadata }: Pod): Promise<string> => {
    const found = await admin.get<KubeSecret>(SECRETS, namespace(), secret);
    const key = Buffer.from(found?.data?.[entry] ?? "", "base64").toString();
    const body = contract(fingerprint(key));
    addresses = (addresses % 250) + 1;
    const ip = `127.0.0.${addresses}`;
    const server: Server = createServer((_, response) => response.end(body));
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, ip, resolve));
    let stopping = false;
    const traffics = (async () => {
      while (!stopping) {
        await call(key).catch((thrown: Error) => traffic.failures.push(thrown.message));
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    })();
    running.set(metadata.uid ?? "", {
      async stop() {
        stopping = true;
        await traffics;
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    });
    return ip;
  };
  const end = async ({ metadata }: Pick<Pod, "metadata">) => {
    const uid = metadata.uid ?? "";
    const process = running.get(uid);
    running.delete(uid);
    await process?.stop();
  };

  const hooks: NodeHooks = { start, end };
  return {
    hooks,
    traffic,
    async stop() {
      await Promise.all([...running.keys()].map((uid) => end({ metadata: { name: "", uid } })));
    },
  };
}

import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { KubeRequest } from "../../../src/kubernetes/api.ts";
import { type KubeModel, WORKER } from "./kube-model.ts";
import { unauthorized } from "./refusal.ts";

export interface ServedModel {
  /** Origin, without a path. */
  url: string;
  /** What the next requests must bear, and whose they are; to be changed at will. */
  tokens: Map<string, string>;
  close(): Promise<void>;
}

/**
 * The model behind a server on loopback, for processes with a kubeconfig. Bearer tokens tell the
 * users apart (`worker-token` is the worker's); any other is answered with 401. A fault that
 * cuts a call off breaks the connection.
 */
export async function serveModel(
  model: KubeModel,
  options: { tls?: { cert: string; key: string } } = {},
): Promise<ServedModel> {
  const tokens = new Map([["worker-token", WORKER]]);
  const listener: RequestListener = (incoming, outgoing) => {
    exchange(model, tokens, incoming, outgoing).catch(() => outgoing.destroy());
  };
  const { tls } = options;
  const server = tls
    ? createSecureServer({ cert: tls.cert, key: tls.key }, listener)
    : createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
    tokens,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function exchange(
  model: KubeModel,
  tokens: ReadonlyMap<string, string>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const sent = await text(incoming);
  const user = tokens.get(incoming.headers.authorization?.replace(/^Bearer /, "") ?? "");
  const { pathname, searchParams } = new URL(incoming.url ?? "/", "http://127.0.0.1");
  const request: KubeRequest = {
    method: incoming.method as KubeRequest["method"],
    path: pathname,
    query: Object.fromEntries(searchParams),
    ...(sent !== "" && { body: JSON.parse(sent) }),
    ...(incoming.headers["content-type"] && { contentType: incoming.headers["content-type"] }),
  };
  const manager = incoming.headers["user-agent"]?.split("/")[0];
  const answer = user === undefined ? unauthorized().answer : await model.answer(request, user, manager);
  const { status, body } = answer;
  const headers = { "content-type": "application/json", ...answer.headers };
  outgoing.writeHead(status, headers);
  outgoing.end(typeof body === "string" ? body : body === undefined ? "" : JSON.stringify(body));
}

/** The text of a kubeconfig with one context. */
export function kubeconfigOf(options: {
  server: string;
  token?: string;
  context?: string;
  namespace?: string;
  /** Further fields of the cluster and of the user. */
  cluster?: object;
  user?: object;
}): string {
  const { server, token = "worker-token", context = "test", namespace = "shop" } = options;
  const plain = server.startsWith("http:") && { "insecure-skip-tls-verify": true };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "it", cluster: { server, ...plain, ...options.cluster } }],
    users: [{ name: "me", user: options.user ?? { token } }],
    contexts: [{ name: context, context: { cluster: "it", user: "me", namespace } }],
    "current-context": context,
  });
}

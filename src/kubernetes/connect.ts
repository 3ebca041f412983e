import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { RotationError } from "../lib/errors.ts";
import type { HttpResponse } from "../lib/http.ts";
import { directSend } from "../lib/http-direct.ts";
import type { KubeAnswer, KubeCluster, KubeRequest } from "./api.ts";
import { type Credentials, credentialsOf } from "./credentials.ts";
import { type KubeconfigDocument, readKubeconfig } from "./kubeconfig.ts";

const LIMITS = { timeoutMs: 10_000, maxBytes: 16 * 1024 * 1024 };
/** The API server closes an idle connection after 90 seconds: ours end before. */
const IDLE = 30_000;

/**
 * The cluster that kubectl would talk to, or that `context` names; makes no call. Each call of
 * `send` has ten seconds and takes 16 MiB at most; the credentials are read anew for it, and the
 * whole kubeconfig when they are not accepted, which is tried again once. Throws RotationError as
 * {@link readKubeconfig} has them.
 */
export async function connectCluster(options: {
  context: string | undefined;
  env: NodeJS.ProcessEnv;
  serviceAccount?: string;
  limits?: Partial<typeof LIMITS>;
}): Promise<KubeCluster> {
  const limits = { ...LIMITS, ...options.limits };
  const document = readKubeconfig(options);
  const { server, namespace, name } = placeOf(document);
  let credentials = await credentialsOf(document);
  const Agent = server.startsWith("https:") ? HttpsAgent : HttpAgent;
  const agent = new Agent({ keepAlive: true, timeout: IDLE });
  const direct = directSend();

  const exchange = async (
    request: KubeRequest,
    { headers, tls, proxy }: Credentials,
  ): Promise<KubeAnswer> => {
    try {
      const response = await direct({
        ...wireOf(server, request),
        headers: { ...headersOf(request), ...headers },
        tls,
        agent: proxy ?? agent,
        ...limits,
        ...(request.signal && { signal: request.signal }),
      });
      return answerOf(response);
    } catch (thrown) {
      throw inKubeWords(name, thrown);
    }
  };

  return {
    namespace,
    name,
    async send(request) {
      const used = await credentials();
      const answer = await exchange(request, used);
      if (answer.status !== 401) return answer;
      // A 401 has done nothing: what a new login left in the kubeconfig may be tried with any call.
      credentials = await credentialsOf(readKubeconfig(options));
      const fresh = await credentials();
      return sameCredentials(used, fresh) ? answer : exchange(request, fresh);
    },
  };
}

/** The address and names of the current context. */
function placeOf(document: KubeconfigDocument) {
  const name = document["current-context"];
  const context = document.contexts.find((one) => one.name === name)?.context ?? {};
  const cluster = document.clusters.find((one) => one.name === context.cluster)?.cluster;
  const bad = (why: string, hint: string) =>
    new RotationError("unusable", `the context ${JSON.stringify(name)} of the kubeconfig ${why}`, { hint });
  if (!cluster) throw bad("names a cluster that is not there", "`kubectl config view` shows the clusters");
  const server = typeof cluster.server === "string" ? cluster.server.replace(/\/+$/, "") : "";
  if (!URL.canParse(server) || !/^https?:/.test(server)) {
    throw bad("has a cluster without a usable server", "set `server: https://…` in its cluster");
  }
  if (server.startsWith("http:") && cluster["insecure-skip-tls-verify"] !== true) {
    throw bad(
      "would send its credentials over plain HTTP",
      "use https://, or allow it with `insecure-skip-tls-verify: true` in its cluster",
    );
  }
  const namespace = typeof context.namespace === "string" ? context.namespace : "";
  return { server, name, namespace: namespace || "default" };
}

function wireOf(server: string, { method, path, query, body }: KubeRequest) {
  const search = new URLSearchParams(query).toString();
  return {
    method,
    url: `${server}${path}${search && `?${search}`}`,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
}

function headersOf({ method, body, contentType }: KubeRequest): Record<string, string> {
  const usual = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  return {
    accept: "application/json",
    "user-agent": "keyturn",
    ...(body !== undefined && { "content-type": contentType ?? usual }),
  };
}

function answerOf({ status, headers, body }: HttpResponse): KubeAnswer {
  return { status, headers, body: parsed(body) };
}

function parsed(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function sameCredentials(a: Credentials, b: Credentials): boolean {
  const shown = ({ headers, tls }: Credentials) =>
    JSON.stringify([Object.entries(headers).map(([name, value]) => [name, value.fingerprint()]), tls]);
  return shown(a) === shown(b);
}

/** What to do, in the words of a kubeconfig. */
function inKubeWords(context: string, thrown: unknown): unknown {
  if (!(thrown instanceof RotationError)) return thrown;
  const { code, message, hint, status, cause } = thrown;
  const word = hint?.match(/tls\.(\w+)/)?.[1];
  const where = `of context ${context}`;
  const hints: Record<string, string> = {
    ca: `the certificate-authority ${where} does not vouch for the API server: fetch the kubeconfig anew, or check that its server is the right one`,
    serverName: `set tls-server-name in the cluster ${where} to a name that the API server's certificate holds`,
    cert: `the API server does not accept the client certificate ${where}: log in again`,
  };
  const own = word === undefined ? hint : hints[word];
  const reach = `check that the cluster ${where} is up and can be reached from here`;
  return new RotationError(code, message, {
    hint: own ?? (code === "unreachable" ? reach : undefined),
    status,
    cause,
  });
}

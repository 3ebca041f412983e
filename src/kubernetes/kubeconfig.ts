import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { parse } from "yaml";
import { messageOf, RotationError } from "../lib/errors.ts";

/** A kubeconfig as the client library takes it, with every path absolute. */
export interface KubeconfigDocument {
  clusters: Entry<"cluster">[];
  users: Entry<"user">[];
  contexts: Entry<"context">[];
  "current-context": string;
}

type Entry<Kind extends string> = { name: string } & Record<Kind, Fields>;
type Fields = Record<string, unknown>;

/** Where a pod finds its credentials. */
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
const IN_CLUSTER = "in-cluster";

/**
 * The configuration that kubectl would use: the files of KUBECONFIG, else `~/.kube/config`, else the
 * pod's service account. `context` chooses another than the current one. Throws RotationError
 * `unusable` when there is no cluster, when a file is damaged, or when it has no such context.
 */
export function readKubeconfig(options: {
  context: string | undefined;
  env: NodeJS.ProcessEnv;
  /** Directory of the pod's credentials. */
  serviceAccount?: string;
}): KubeconfigDocument {
  const { context, env, serviceAccount = SERVICE_ACCOUNT } = options;
  const files = filesOf(env);
  if (files.length === 0) return inCluster(context, env, serviceAccount);
  const document = merged(files.map(readFile));
  const chosen = context ?? document["current-context"];
  const names = document.contexts.map(({ name }) => name);
  if (!names.includes(chosen)) {
    const from = files.join(", ");
    const what = chosen === "" ? "has no current context" : `has no context ${JSON.stringify(chosen)}`;
    throw new RotationError("unusable", `the kubeconfig ${from} ${what}`, {
      hint: names.length === 0 ? "it has no contexts at all" : `its contexts: ${names.join(", ")}`,
    });
  }
  return { ...document, "current-context": chosen };
}

/** A file that KUBECONFIG names and that is absent is passed over while another is there, as kubectl does. */
function filesOf(env: NodeJS.ProcessEnv): string[] {
  const named = (env.KUBECONFIG ?? "").split(delimiter).filter((file) => file !== "");
  const present = named.filter((file) => existsSync(file));
  if (named.length > 0 && present.length === 0) {
    throw new RotationError("unusable", `KUBECONFIG names ${named.join(", ")}, which is not there`, {
      hint: "correct KUBECONFIG, or unset it to use ~/.kube/config or the pod's service account",
    });
  }
  const home = env.HOME ?? env.USERPROFILE ?? "";
  const usual = join(home, ".kube", "config");
  return named.length > 0 ? present : home !== "" && existsSync(usual) ? [usual] : [];
}

function readFile(file: string): KubeconfigDocument {
  const damaged = (why: string, cause?: unknown) =>
    new RotationError("unusable", `the kubeconfig ${file} cannot be used: ${why}`, {
      hint: "`kubectl config view` shows whether kubectl can read it",
      cause,
    });
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw damaged((cause as NodeJS.ErrnoException).code ?? messageOf(cause), cause);
  }
  let document: unknown;
  try {
    document = parse(text);
  } catch {
    // The parser's message quotes the line, which may hold a token.
    throw damaged("it is not YAML");
  }
  if (!isFields(document)) throw damaged("it holds no clusters and contexts");
  const home = dirname(file);
  const listed = <Kind extends string>(list: string, kind: Kind): Entry<Kind>[] => {
    const entries = document[list] ?? [];
    if (!Array.isArray(entries)) throw damaged(`${list} is not a list`);
    return entries.map((entry, index) => {
      if (!isFields(entry) || typeof entry.name !== "string" || !isFields(entry[kind] ?? {})) {
        throw damaged(`${list}[${index}] has no name, or no ${kind}`);
      }
      return { name: entry.name, [kind]: entry[kind] ?? {} } as Entry<Kind>;
    });
  };
  const current = document["current-context"];
  return {
    clusters: listed("clusters", "cluster").map((entry) => ({
      ...entry,
      cluster: withPaths(home, entry.cluster),
    })),
    users: listed("users", "user").map((entry) => ({ ...entry, user: userOf(home, entry.user) })),
    contexts: listed("contexts", "context"),
    "current-context": typeof current === "string" ? current : "",
  };
}

/** Of several files, the first to name something holds. */
function merged(documents: KubeconfigDocument[]): KubeconfigDocument {
  const first = <T extends { name: string }>(all: T[]) =>
    all.filter(({ name }, index) => all.findIndex((other) => other.name === name) === index);
  return {
    clusters: first(documents.flatMap(({ clusters }) => clusters)),
    users: first(documents.flatMap(({ users }) => users)),
    contexts: first(documents.flatMap(({ contexts }) => contexts)),
    "current-context": documents.map((one) => one["current-context"]).find((name) => name !== "") ?? "",
  };
}

function inCluster(
  context: string | undefined,
  env: NodeJS.ProcessEnv,
  serviceAccount: string,
): KubeconfigDocument {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443" } = env;
  const tokenFile = join(serviceAccount, "token");
  if (!host || !existsSync(tokenFile)) {
    throw new RotationError("unusable", "no Kubernetes cluster is configured here", {
      hint:
        "run in a pod with a service account, or set KUBECONFIG or ~/.kube/config; " +
        "for a trial, `kind create cluster` makes a cluster and its kubeconfig",
    });
  }
  if (context !== undefined) {
    throw new RotationError("unusable", `there is no context ${JSON.stringify(context)} in a pod`, {
      hint: "leave `context` out of the policy to use the pod's service account, or mount a kubeconfig and set KUBECONFIG",
    });
  }
  const namespaceFile = join(serviceAccount, "namespace");
  const namespace = existsSync(namespaceFile) ? readFileSync(namespaceFile, "utf8").trim() : undefined;
  const server = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const [cluster, user] = [IN_CLUSTER, IN_CLUSTER];
  return {
    clusters: [
      {
        name: cluster,
        cluster: { server, "certificate-authority": join(serviceAccount, "ca.crt") },
      },
    ],
    users: [{ name: user, user: tokenFrom(tokenFile) }],
    contexts: [{ name: IN_CLUSTER, context: { cluster, user, ...(namespace && { namespace }) } }],
    "current-context": IN_CLUSTER,
  };
}

/** The library reads such a file again each minute; it does not know `tokenFile` itself. */
function tokenFrom(tokenFile: string): Fields {
  return { "auth-provider": { name: "tokenFile", config: { tokenFile } } };
}

function userOf(home: string, user: Fields): Fields {
  const { tokenFile, exec, ...rest } = withPaths(home, user);
  return {
    ...rest,
    ...(isFields(exec) && { exec: { ...exec, command: commandOf(home, exec.command) } }),
    ...(typeof tokenFile === "string" && tokenFrom(tokenFile)),
  };
}

const PATHS = ["certificate-authority", "client-certificate", "client-key", "tokenFile"];

function withPaths(home: string, fields: Fields): Fields {
  const absolute = (name: string, value: unknown) =>
    PATHS.includes(name) && typeof value === "string" && value !== "" && !isAbsolute(value)
      ? join(home, value)
      : value;
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, absolute(name, value)]));
}

/** A plugin with a slash in its name lies beside the kubeconfig, any other on the PATH. */
function commandOf(home: string, command: unknown): unknown {
  const beside = typeof command === "string" && /[/\\]/.test(command) && !isAbsolute(command);
  return beside ? join(home, command) : command;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

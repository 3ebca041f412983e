import type { Agent } from "node:http";
import type { RequestOptions } from "node:https";
import { asRotationError, messageOf, RotationError } from "../lib/errors.ts";
import type { TlsText } from "../lib/http-direct.ts";
import { refusedByNode } from "../lib/permissions.ts";
import { redactOutput } from "../lib/redact.ts";
import { Secret } from "../lib/secret.ts";
import type { KubeconfigDocument } from "./kubeconfig.ts";

/** With what a request goes to the API server, at this moment. */
export interface Credentials {
  /** Authorization, and whom to act as. */
  headers: Record<string, Secret>;
  tls: TlsText;
  /** Set when the way leads through a proxy. */
  proxy?: Agent;
}

/** A login plugin may ask a distant service. */
const LONGEST_LOGIN = 30_000;

/**
 * Reads a configuration's credentials whenever it is called: tokens out of files are read again,
 * plugins run again when what they gave has expired. Throws RotationError `unauthorized` when a
 * plugin refuses, `unusable` when a file or a plugin is not there, or is damaged.
 */
export async function credentialsOf(document: KubeconfigDocument): Promise<() => Promise<Credentials>> {
  // The whole library takes half as long again to load.
  const { KubeConfig } = await import("@kubernetes/client-node/dist/config.js");
  const config = new KubeConfig();
  try {
    config.loadFromString(JSON.stringify(document));
  } catch (cause) {
    throw new RotationError("unusable", `the kubeconfig is damaged: ${messageOf(cause)}`, { cause });
  }
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  let reading: Promise<Credentials> | undefined;

  const read = async (): Promise<Credentials> => {
    const options: RequestOptions & { servername?: string } = { headers: {} };
    try {
      await within(LONGEST_LOGIN, config.applyToHTTPSOptions(options));
    } catch (cause) {
      throw loginFailed(user?.exec?.command ?? undefined, cause);
    }
    const basic = options.auth && `Basic ${Buffer.from(options.auth).toString("base64")}`;
    const headers = {
      ...(basic && { Authorization: basic }),
      ...(options.headers as Record<string, string>),
    };
    return {
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [
          name.toLowerCase(),
          new Secret(String(value).trim()),
        ]),
      ),
      tls: tlsOf(options),
      ...(cluster?.proxyUrl && { proxy: options.agent as Agent }),
    };
  };
  // At once for all who ask at once: no plugin runs twice.
  return () => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
}

function tlsOf({
  ca,
  cert,
  key,
  servername,
  rejectUnauthorized,
}: RequestOptions & { servername?: string }): TlsText {
  const text = (value: unknown) => (Buffer.isBuffer(value) ? value.toString("utf8") : String(value));
  return {
    ...(ca && { ca: text(ca) }),
    ...(cert && { cert: text(cert) }),
    ...(key && { key: text(key) }),
    ...(servername && { serverName: servername }),
    ...(rejectUnauthorized === false && { insecure: true }),
  };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1_000}s`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function loginFailed(plugin: string | undefined, cause: unknown): RotationError {
  if (refusedByNode(cause)) return asRotationError(cause);
  const { code, path } = cause as NodeJS.ErrnoException;
  const says = redactOutput(messageOf(cause)).replace(/\s+/g, " ").trim().slice(0, 500);
  if (plugin !== undefined && code === "ENOENT") {
    return new RotationError("unusable", `the login plugin ${plugin} of the kubeconfig is not there`, {
      hint: "install it, or choose a context that needs none",
    });
  }
  if (plugin !== undefined) {
    return new RotationError(
      "unauthorized",
      `the login plugin ${plugin} failed: ${says || "it says nothing"}`,
      {
        hint: "log in again as it asks, and try it with `kubectl get namespaces`",
      },
    );
  }
  if (code !== undefined && path !== undefined) {
    return new RotationError("unusable", `cannot read ${path} for the Kubernetes API (${code})`, {
      hint: "check the paths in the kubeconfig, or the pod's service account",
    });
  }
  return new RotationError("unauthorized", `cannot log in to the Kubernetes API: ${says}`, {
    hint: "log in again, and try it with `kubectl get namespaces`",
  });
}

import { resolve } from "node:path";
import type { SecretSource } from "../lib/secret-source.ts";
import type { ConsumerPolicy, HttpTarget, PodsProbePolicy, Policy } from "./schema.ts";

/** The policy with every relative path made absolute, from `folder` on. */
export function resolvePaths(policy: Policy, folder: string): Policy {
  const from = (path: string) => resolve(folder, path);

  const source = <T>(value: T | SecretSource): T | SecretSource =>
    typeof value === "object" && value !== null && "file" in value ? { file: from(value.file) } : value;

  const entries = <T>(map: Record<string, T>, change: (value: T) => T): Record<string, T> =>
    Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value)]));

  const http = (target: HttpTarget): HttpTarget => ({
    ...target,
    urls: target.urls.map((url) => source(url)),
    ...(target.headers && { headers: entries(target.headers, source) }),
    ...(target.auth && { auth: auth(target.auth) }),
    ...(target.tls && { tls: tls(target.tls) }),
  });

  const auth = (value: NonNullable<HttpTarget["auth"]>): HttpTarget["auth"] => {
    if ("bearer" in value) return { bearer: source(value.bearer) };
    if ("basic" in value) return { basic: { ...value.basic, password: source(value.basic.password) } };
    return { header: { ...value.header, value: source(value.header.value) } };
  };

  const tls = ({ ca, cert, key, serverName }: NonNullable<HttpTarget["tls"]>): HttpTarget["tls"] => ({
    ...(ca !== undefined && { ca: from(ca) }),
    ...(cert !== undefined && { cert: from(cert) }),
    ...(key !== undefined && { key: from(key) }),
    ...(serverName !== undefined && { serverName }),
  });

  /** A program without a folder in its name is looked for in PATH. */
  const command = ([program = "", ...rest]: string[]) => [
    /^\.\.?\//.test(program) ? from(program) : program,
    ...rest,
  ];

  const action = <T extends { http?: HttpTarget | undefined; exec?: string[] | undefined }>(value: T): T => ({
    ...value,
    ...(value.http && { http: http(value.http) }),
    ...(value.exec && { exec: command(value.exec) }),
  });

  const pods = (probe: PodsProbePolicy): PodsProbePolicy => ({
    ...probe,
    ...(probe.headers && { headers: entries(probe.headers, source) }),
    ...(probe.auth && { auth: auth(probe.auth) }),
    ...(probe.tls && { tls: tls(probe.tls) }),
  });

  const consumer = ({ probe, reload, ...rest }: ConsumerPolicy): ConsumerPolicy => ({
    ...rest,
    probe: { ...action(probe), ...(probe.pods && { pods: pods(probe.pods) }) },
    ...(reload && { reload: action(reload) }),
  });

  return {
    ...policy,
    providers: entries(policy.providers, (value) => ({
      ...value,
      managementKey: source(value.managementKey),
    })),
    stores: entries(policy.stores, (value) =>
      value.type === "file" ? { ...value, path: from(value.path) } : value,
    ),
    journal:
      policy.journal.type === "sqlite"
        ? { ...policy.journal, path: from(policy.journal.path) }
        : policy.journal,
    ...(policy.server && {
      server: { ...policy.server, ...(policy.server.token && { token: source(policy.server.token) }) },
    }),
    keys: policy.keys.map((key) => ({
      ...key,
      consumers: key.consumers === "none" ? key.consumers : key.consumers.map(consumer),
      notify: key.notify.map((entry) => ({
        ...action(entry),
        ...(entry.secret && { secret: source(entry.secret) }),
      })),
    })),
  };
}

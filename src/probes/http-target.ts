import { RotationError } from "../lib/errors.ts";
import type { DirectRequest, TlsText } from "../lib/http-direct.ts";
import { Secret } from "../lib/secret.ts";
import type { SecretSource } from "../lib/secret-source.ts";
import type { HttpTarget } from "../policy/schema.ts";
import type { ProbeParts } from "./parts.ts";

/** The longest answer that is read, of a probe or a reload. */
export const MAX_ANSWER_BYTES = 65_536;

export interface PreparedRequest {
  /** Names the request to people: host, port and path; of a URL that is a secret, host and port only. */
  place: string;
  request: DirectRequest;
}

/**
 * One request for each different URL of an `http:` target, with secrets and certificates read anew.
 * Throws RotationError `unusable` when one of those cannot be read or is no URL.
 */
export async function prepareHttp(
  target: HttpTarget,
  options: { method: string; timeoutMs: number; signal?: AbortSignal },
  parts: Pick<ProbeParts, "readSecret" | "readFile">,
): Promise<PreparedRequest[]> {
  const urls = new Map<string, string>();
  for (const source of target.urls) {
    const text = typeof source === "string" ? source : (await parts.readSecret(source)).reveal();
    if (!urls.has(text)) urls.set(text, nameOf(text, source));
  }
  const shared = {
    method: target.method ?? options.method,
    headers: await headersOf(target, parts),
    ...(target.body !== undefined && { body: target.body }),
    ...(target.tls && { tls: await tlsOf(target.tls, parts) }),
    ...(target.proxy && { proxy: target.proxy }),
    timeoutMs: options.timeoutMs,
    maxBytes: MAX_ANSWER_BYTES,
    ...(options.signal && { signal: options.signal }),
  };
  return [...urls].map(([url, place]) => ({ place, request: { ...shared, url } }));
}

function nameOf(text: string, source: string | SecretSource): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol)) {
    const where =
      typeof source === "string"
        ? "a URL"
        : "env" in source
          ? `the URL in ${source.env}`
          : `the URL in ${source.file}`;
    throw new RotationError("unusable", `${where} is not an http:// or https:// URL`, {
      hint: "check the URL",
    });
  }
  return typeof source === "string" && url.pathname !== "/" ? url.host + url.pathname : url.host;
}

async function headersOf(
  { headers = {}, auth }: HttpTarget,
  { readSecret }: Pick<ProbeParts, "readSecret">,
): Promise<Record<string, string | Secret>> {
  const made: Record<string, string | Secret> = { "user-agent": "keyturn" };
  for (const [name, value] of Object.entries(headers)) {
    made[name.toLowerCase()] = typeof value === "string" ? value : await readSecret(value);
  }
  if (!auth) return made;
  if ("bearer" in auth) {
    made.authorization = new Secret(`Bearer ${(await readSecret(auth.bearer)).reveal()}`);
  } else if ("basic" in auth) {
    const pair = `${auth.basic.username}:${(await readSecret(auth.basic.password)).reveal()}`;
    made.authorization = new Secret(`Basic ${Buffer.from(pair).toString("base64")}`);
  } else {
    made[auth.header.name.toLowerCase()] = await readSecret(auth.header.value);
  }
  return made;
}

async function tlsOf(
  tls: NonNullable<HttpTarget["tls"]>,
  { readFile }: Pick<ProbeParts, "readFile">,
): Promise<TlsText> {
  const read = async (name: "ca" | "cert" | "key") => {
    const path = tls[name];
    if (path === undefined) return {};
    return {
      [name]: await readFile(path).catch((cause: NodeJS.ErrnoException) => {
        throw new RotationError(
          "unusable",
          `tls.${name}: ${path} cannot be read (${cause.code ?? cause.message})`,
          {
            hint: "check the path and that this user may read it",
            cause,
          },
        );
      }),
    };
  };
  return {
    ...(await read("ca")),
    ...(await read("cert")),
    ...(await read("key")),
    ...(tls.serverName && { serverName: tls.serverName }),
  };
}

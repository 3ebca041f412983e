import { readFile } from "node:fs/promises";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type Check, checked, noted } from "../../lib/check.ts";
import { RotationError } from "../../lib/errors.ts";
import type { ReadSecret, SecretSource } from "../../lib/secret-source.ts";
import type { HttpTarget, KeyPolicy } from "../../policy/schema.ts";
import { distinct } from "./groups.ts";

const PATIENCE_MS = 5_000;

/**
 * Whether each place that is told of a key can be reached: a connection, with TLS where the URL asks
 * for it, over which nothing is sent. Only hosts are named: a webhook's URL is a secret.
 */
export async function checkNotify(
  { notify }: Pick<KeyPolicy, "notify">,
  readSecret: ReadSecret,
  env: NodeJS.ProcessEnv,
): Promise<Check[]> {
  const checks = notify.flatMap(({ http, secret }) => [
    ...http.urls.map((url) => checkUrl(url, http, readSecret, env)),
    ...(secret ? [checkSecret(secret, readSecret)] : []),
  ]);
  return distinct(await Promise.all(checks));
}

function checkSecret(source: SecretSource, readSecret: ReadSecret): Promise<Check> {
  return checked("notify secret", async () => {
    await readSecret(source);
    return "can be read";
  });
}

async function checkUrl(
  url: string | SecretSource,
  http: HttpTarget,
  readSecret: ReadSecret,
  env: NodeJS.ProcessEnv,
): Promise<Check> {
  let proxied = false;
  const check = await checked("notify", async () => {
    const to = new URL(typeof url === "string" ? url : (await readSecret(url)).reveal());
    proxied = http.proxy !== undefined || goesByProxy(to, env);
    if (!proxied) await reach(to, http);
    return `${to.host} ${proxied ? "is reached by a proxy: not tried" : "can be reached; nothing was sent"}`;
  });
  return proxied && check.result === "passed" ? noted("notify", check.says) : check;
}

function goesByProxy({ protocol }: URL, env: NodeJS.ProcessEnv): boolean {
  const name = protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  return Boolean(env[name] ?? env[name.toLowerCase()]);
}

async function reach(to: URL, { tls }: HttpTarget): Promise<void> {
  const host = to.hostname.replace(/^\[|\]$/g, "");
  const port = Number(to.port) || (to.protocol === "https:" ? 443 : 80);
  const ca = tls?.ca === undefined ? undefined : await readFile(tls.ca, "utf8");
  await new Promise<void>((resolve, reject) => {
    const refuse = (why: string) =>
      reject(
        new RotationError("unreachable", `${to.host} cannot be reached (${why})`, {
          hint: "check the URL, DNS and what may be reached from here",
        }),
      );
    const done = () => {
      socket.destroy();
      resolve();
    };
    const socket: Socket =
      to.protocol === "https:"
        ? connectTls({ host, port, servername: tls?.serverName ?? host, ...(ca ? { ca } : {}) }, done)
        : connectTcp({ host, port }, done);
    socket.setTimeout(PATIENCE_MS, () => {
      socket.destroy();
      refuse(`no answer within ${PATIENCE_MS / 1_000}s`);
    });
    socket.once("error", ({ code, message }: NodeJS.ErrnoException) => refuse(code ?? message));
  });
}

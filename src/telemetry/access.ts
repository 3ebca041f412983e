import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Clock } from "../lib/clock.ts";
import { asRotationError, RotationError } from "../lib/errors.ts";
import type { Secret } from "../lib/secret.ts";
import { type Answer, sentence } from "./answer.ts";
import { Attempts } from "./attempts.ts";

export interface GateParts {
  /** Reads the token anew; undefined when the policy names none. Throws RotationError when it cannot be read. */
  token: () => Promise<Secret | undefined>;
  clock: Clock;
  log: (fields: Record<string, unknown>, message: string) => void;
}

/** A mesh delivers remote traffic from 127.0.0.6 and the like: two addresses are this machine, and no others. */
const LOOPBACK_PEER = /^(127\.0\.0\.1|::1|::ffff:127\.0\.0\.1)$/;
/** What a web site that names an address of its own "127.0.0.1" cannot send. */
const LOOPBACK_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;
/** Who sends these passes on what somebody else has asked. */
const PASSED_ON = /^(forwarded|via|x-forwarded(-.*)?|x-envoy-.*|l5d-.*|(.*-)?ip|x-original-.*)$/;

/** A shorter token is found out in the end, a hundred attempts a minute. */
const SHORTEST_TOKEN = 16;

/** How often an unusable token is logged at most, in milliseconds. */
const SAY_AGAIN_MS = 60_000;

const CHALLENGE = { "www-authenticate": 'Basic realm="keyturn", charset="UTF-8"' };

/** Decides who may see the status page: whoever is on this machine, and who brings the token. */
export class Gate {
  readonly #parts: GateParts;
  readonly #attempts: Attempts;
  #said = Number.NEGATIVE_INFINITY;

  constructor(parts: GateParts) {
    this.#parts = parts;
    this.#attempts = new Attempts(parts.clock);
  }

  /** Undefined for who may; otherwise the answer that says why not and what to do. */
  async refusal(request: IncomingMessage): Promise<Answer | undefined> {
    if (isEmbedded(request)) return sentence(403, "The status page answers no other web site.");
    if (isLocal(request)) return undefined;
    let token: Secret | undefined;
    try {
      token = await this.#parts.token();
      if (token !== undefined) assertLongEnough(token);
    } catch (thrown) {
      this.#sayUnusable(thrown);
      return sentence(503, "The token cannot be used at present; the worker's log says why.");
    }
    if (token === undefined)
      return sentence(
        403,
        "From here the status page needs a token. Set server.token in the policy, or use kubectl port-forward and open http://localhost.",
      );
    const brought = tokenOf(request);
    if (brought === undefined) return sentence(401, "The status page needs the token.", CHALLENGE);
    const peer = request.socket.remoteAddress ?? "";
    if (!this.#attempts.begin(peer)) {
      const headers = { "retry-after": String(this.#attempts.secondsLeft()) };
      return sentence(429, "Too many wrong tokens.", headers);
    }
    if (!sameText(brought, token.reveal())) return sentence(401, "This is not the token.", CHALLENGE);
    this.#attempts.right(peer);
    return undefined;
  }

  #sayUnusable(thrown: unknown): void {
    const { clock, log } = this.#parts;
    if (Math.abs(clock.now() - this.#said) < SAY_AGAIN_MS) return;
    this.#said = clock.now();
    const { code, message, hint } = asRotationError(thrown);
    log(
      { code, ...(hint ? { hint } : {}) },
      `server.token cannot be used, so nobody is let to the status page: ${message}`,
    );
  }
}

/** Throws RotationError `unusable` for a token that could be found out. */
export function assertLongEnough(token: Secret): void {
  if (token.reveal().length >= SHORTEST_TOKEN) return;
  throw new RotationError("unusable", `it is shorter than ${SHORTEST_TOKEN} characters`, {
    hint: "make one with openssl rand -base64 32",
  });
}

/** Whether a request comes from this machine, from nobody further away, and by a name of this machine. */
export function isLocal({ socket, headersDistinct }: IncomingMessage): boolean {
  const { host = [] } = headersDistinct;
  return (
    LOOPBACK_PEER.test(socket.remoteAddress ?? "") &&
    host.length === 1 &&
    LOOPBACK_HOST.test(host[0] ?? "") &&
    !Object.keys(headersDistinct).some((name) => PASSED_ON.test(name))
  );
}

/** Whether a browser asks on behalf of another site's page; following a link from there is none of that. */
function isEmbedded({ headers }: IncomingMessage): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== "cross-site" && site !== "same-site") return false;
  return headers["sec-fetch-mode"] !== "navigate" || headers["sec-fetch-dest"] !== "document";
}

/** The token of `Bearer TOKEN`, or the password of Basic, whatever the user name. */
function tokenOf({ headers }: IncomingMessage): string | undefined {
  const [, scheme, rest] = /^(bearer|basic) +(\S+) *$/i.exec(headers.authorization ?? "") ?? [];
  if (scheme === undefined || rest === undefined) return undefined;
  if (scheme.toLowerCase() === "bearer") return rest;
  const pair = Buffer.from(rest, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return colon < 0 ? undefined : pair.slice(colon + 1);
}

/** Compared by their hashes, in a time that tells nothing of either. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

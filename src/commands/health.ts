import { z } from "zod";
import { RotationError } from "../lib/errors.ts";
import { directSend } from "../lib/http-direct.ts";
import { loadPolicy, PolicyError } from "../policy/load.ts";
import { parseServer } from "../policy/server-default.ts";
import type { Globals } from "./context.ts";
import { EXIT } from "./exit.ts";
import { print, printJson } from "./print.ts";

export interface HealthOptions {
  /** Where the worker answers; as the policy says when left out. */
  url?: string;
  /** Asks whether it can do its work, and not only whether it is alive. */
  ready?: boolean;
  json?: boolean;
}

const TIMEOUT_MS = 5_000;
const MOST_BYTES = 65_536;

/** `rotate health`: asks the worker on this machine how it is. Throws RotationError when it gives no answer. */
export async function health(globals: Globals, { url, ready, json }: HealthOptions): Promise<number> {
  const asked = new URL(ready ? "/readyz" : "/healthz", url ?? (await addressOf(globals.policy)));
  const { status, body } = await directSend()({
    method: "GET",
    url: asked.href,
    timeoutMs: TIMEOUT_MS,
    maxBytes: MOST_BYTES,
  });
  const standing = standingOf(body);
  if (standing === undefined)
    throw new RotationError(
      "malformed",
      `${asked.host} does not answer as a worker of keyturn (HTTP ${status})`,
      {
        hint: "name the worker's own address with --url",
      },
    );
  if (json) printJson(standing);
  else print([standing.status, ...standing.problems, ...standing.warnings].join("\n"));
  return status === 200 ? EXIT.done : EXIT.failed;
}

/** Where the worker answers, as seen from this machine. */
async function addressOf(policyFile: string): Promise<string> {
  const server = await serverOf(policyFile);
  if (server === undefined || server.port === 0)
    throw new RotationError(
      "usage",
      server
        ? "the worker takes a free port, which nobody knows from here"
        : "by the policy the worker answers nowhere",
      { hint: "name its address: rotate health --url http://127.0.0.1:8080" },
    );
  const { address, port } = server;
  const here = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  return `http://${here.includes(":") ? `[${here}]` : here}:${port}`;
}

/** By the policy; by KEYTURN_SERVER where the file is refused just now, as a worker goes on under the one that it has. */
async function serverOf(policyFile: string): Promise<{ address: string; port: number } | undefined> {
  try {
    return (await loadPolicy(policyFile, process.env)).policy.server;
  } catch (thrown) {
    const server = parseServer(process.env.KEYTURN_SERVER ?? "");
    if (thrown instanceof PolicyError && server) return server;
    throw thrown;
  }
}

const standingSchema = z.object({
  status: z.enum(["ok", "failing"]),
  problems: z.array(z.string()).default([]),
  warnings: z.array(z.string()).default([]),
});

/** What `/healthz` and `/readyz` are answered with; undefined for any other answer. */
function standingOf(body: string): z.output<typeof standingSchema> | undefined {
  try {
    return standingSchema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

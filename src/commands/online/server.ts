import { createServer } from "node:net";
import { type Check, checked, failed, noted } from "../../lib/check.ts";
import { RotationError } from "../../lib/errors.ts";
import type { ReadSecret } from "../../lib/secret-source.ts";
import type { Policy } from "../../policy/schema.ts";
import { assertLongEnough } from "../../telemetry/access.ts";
import type { CheckGroup } from "./groups.ts";

/** Whether `rotate worker` could listen where the policy says, and read the status page's token, which must not be guessable. */
export async function checkServer(
  { address, port, token }: NonNullable<Policy["server"]>,
  readSecret: ReadSecret,
): Promise<CheckGroup> {
  const place = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  const checks = [await checkPort(address, port)];
  if (token) {
    checks.push(
      await checked("token", async () => {
        assertLongEnough(await readSecret(token));
        return "can be read";
      }),
    );
  }
  return { kind: "server", name: place, checks };
}

const REMEDY: Readonly<Record<string, string>> = {
  EACCES: "ports below 1024 take a right of their own: give another port",
  EADDRNOTAVAIL: "this machine has no such address: give 127.0.0.1, or 0.0.0.0 for all of them",
};

function checkPort(address: string, port: number): Promise<Check> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ code = "", message }: NodeJS.ErrnoException) => {
      if (code === "EADDRINUSE")
        resolve(
          noted("port", "is taken: by the worker of this policy, if it runs here; no other could start"),
        );
      else
        resolve(
          failed(
            "port",
            new RotationError("unusable", `cannot be listened on (${code || message})`, {
              ...(REMEDY[code] === undefined ? {} : { hint: REMEDY[code] }),
            }),
          ),
        );
    });
    server.listen({ host: address, port, exclusive: true }, () =>
      server.close(() => resolve({ check: "port", result: "passed", says: "is free" })),
    );
  });
}

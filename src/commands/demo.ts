import { readFile } from "node:fs/promises";
import { Secret } from "../lib/secret.ts";
import { type Sandbox, startSandbox } from "../sandbox/sandbox.ts";
import type { Globals } from "./context.ts";
import { demonstrate, type Stage } from "./demonstrate.ts";
import { SHIPPED_POLICY } from "./shipped.ts";

/**
 * `rotate demo`: a rotation by the shipped policy in a sandbox of its own, under live traffic, and
 * the proof that no request failed. Nothing of the person's own policy or environment is used.
 */
export async function demo(globals: Globals, options: { json?: boolean }): Promise<number> {
  const sandbox = await startSandbox();
  try {
    const stage: Stage = {
      sandbox,
      policyFile: SHIPPED_POLICY,
      env: sandbox.env,
      owns: (store) => store.type === "file" && store.path === sandbox.env.KEYTURN_STORE,
      currentKey: () => keyInFile(sandbox),
    };
    return await demonstrate(globals, stage, options);
  } finally {
    await sandbox.close();
  }
}

/** The key in the file that the consumers watch. */
async function keyInFile({ secret }: Sandbox): Promise<Secret> {
  const document = JSON.parse(await readFile(secret.file, "utf8"));
  return new Secret(document[secret.field]);
}

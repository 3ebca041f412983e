import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

/** Whether prom-client is loaded once the module has been, in a process of its own. */
async function loads(module: string): Promise<boolean> {
  const path = fileURLToPath(new URL(`../../../src/${module}`, import.meta.url));
  const script = `
    await import(${JSON.stringify(path)});
    console.log(Object.keys(process.getBuiltinModule("module")._cache).some((file) => file.includes("prom-client")));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
  return stdout === "true\n";
}

it("loads prom-client with the metrics, and not with the program", async () => {
  expect(await loads("main.ts")).toBe(false);
  expect(await loads("telemetry/metrics/metrics.ts")).toBe(true);
});

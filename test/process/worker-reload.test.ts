import { readFile, rename, writeFile } from "node:fs/promises";
import { describe, test } from "vitest";
import { currentHash, rotate, STUBBORN_BILLING, startWorker, startWorld, type World } from "./world.ts";

/** Another policy in the file's place, as an editor puts it there. */
async function edit({ policyFile }: World, change: (yaml: string) => string): Promise<void> {
  await writeFile(`${policyFile}.new`, change(await readFile(policyFile, "utf8")));
  await rename(`${policyFile}.new`, policyFile);
}

const everySecond = (yaml: string) => yaml.replace("every: 30d", "every: 1s");

describe.concurrent("the policy of rotate worker", { timeout: 60_000 }, () => {
  test("is reloaded when the file is replaced: a new schedule rotates without a restart", async ({
    expect,
  }) => {
    await using world = await startWorld();
    const first = currentHash(world);
    const worker = startWorker(world);
    await worker.says(/is running/);
    await edit(world, everySecond);
    await worker.says(/the policy is reloaded: changes payments-api/);
    await worker.says(/"reason":"completed"/);
    expect(currentHash(world)).not.toBe(first);
    expect(await worker.stop()).toEqual({ status: 0 });
  });

  test("stays in force when the new one is invalid, with the faults in the log; SIGHUP says so again", async ({
    expect,
  }) => {
    await using world = await startWorld();
    const worker = startWorker(world);
    await worker.says(/is running/);
    await edit(world, (yaml) => yaml.replace("every: 30d", "every: soon"));
    await worker.says(/rotation\.yaml:\d+:\d+ {2}keys\[0\]\.schedule/);
    worker.child.kill("SIGHUP");
    await worker.says(/keys\[0\]\.schedule[\s\S]*keys\[0\]\.schedule/);
    await edit(world, (yaml) => everySecond(yaml.replace("every: soon", "every: 30d")));
    worker.child.kill("SIGHUP");
    await worker.says(/"reason":"completed"/);
    expect(await worker.stop()).toEqual({ status: 0 });
  });
});

describe.concurrent("the end of a terminal", { timeout: 60_000 }, () => {
  test("SIGHUP, however often, ends a command after the step in hand", async ({ expect }) => {
    await using world = await startWorld(STUBBORN_BILLING);
    const { status, stderr } = await rotate(world, ["--now", "payments-api"], {
      started: (child) => {
        let log = "";
        child.stderr?.on("data", (chunk) => {
          const before = log;
          log += chunk;
          if (/still serves/.test(log) && !/still serves/.test(before))
            for (let count = 0; count < 3; count += 1) child.kill("SIGHUP");
        });
      },
    });
    expect(stderr).toContain("SIGHUP received; finishing the step in hand");
    expect(status).toBe(3);
  });
});

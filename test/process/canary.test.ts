import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { rotate, startWorld } from "./world.ts";

test("no plaintext key is in anything written: journal, logs at trace level, output, errors, events", async () => {
  const world = await startWorld({ faults: ["delete:500:1", "create:lost-reply:1"] });
  const plaintexts = new Set<string>([world.env.OPENROUTER_MANAGEMENT_KEY as string]);
  const remember = async () => {
    const { file, field } = world.sandbox.secret;
    plaintexts.add((JSON.parse(await readFile(file, "utf8")) as Record<string, string>)[field] as string);
  };
  await remember();
  const outputs: string[] = [];
  const run = async (...args: string[]) => {
    const { stdout, stderr } = await rotate(world, ["--log-level", "trace", ...args]);
    outputs.push(stdout, stderr);
    await remember();
  };
  await run("--now", "payments-api");
  await run("plan", "--json");
  await run("status", "--json");
  await run("history", "--json");
  await run("rollback", "payments-api");
  await run("revoke", "payments-api", "--yes", "--immediately");
  await run("once", "--policy", "/nowhere.yaml");
  world.env.OPENROUTER_MANAGEMENT_KEY = [...plaintexts][1];
  await run("--now", "payments-api");
  expect(plaintexts.size).toBeGreaterThanOrEqual(3);

  const written = await filesOutsideTheStore(world.sandbox.folder);
  expect(written.map(({ name }) => name)).toContain("journal.db");
  for (const plaintext of plaintexts) {
    expect(outputs.filter((text) => text.includes(plaintext))).toEqual([]);
    expect(written.filter(({ bytes }) => bytes.includes(plaintext)).map(({ name }) => name)).toEqual([]);
  }
  await world.sandbox.close();
}, 60_000);

async function filesOutsideTheStore(folder: string): Promise<{ name: string; bytes: Buffer }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter(
    (entry) => entry.isFile() && !join(entry.parentPath, entry.name).includes("/secrets/"),
  );
  return await Promise.all(
    files.map(async ({ name, parentPath }) => ({ name, bytes: await readFile(join(parentPath, name)) })),
  );
}

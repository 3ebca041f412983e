import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { test } from "vitest";
import { CLI, currentHash, startWorld } from "./world.ts";

test.skipIf(!existsSync("/dev/full"))(
  "a log that cannot be written, because the disk is full, does not stop a rotation",
  async ({ expect }) => {
    await using world = await startWorld();
    await using full = await open("/dev/full", "w");
    const first = currentHash(world);
    const status = await new Promise((resolve) => {
      const args = [CLI, "--now", "payments-api", "--log-level", "trace"];
      const child = spawn(process.execPath, args, { env: world.env, stdio: ["ignore", "ignore", full.fd] });
      child.once("close", resolve);
    });
    expect(status).toBe(0);
    expect(currentHash(world)).not.toBe(first);
  },
);

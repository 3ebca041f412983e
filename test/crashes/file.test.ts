import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { watchDisk } from "./disk.ts";
import { filePlace } from "./file-place.ts";
import { proveKills } from "./prove.ts";

// In memory where the machine has such a file system: thousands of stores are written.
const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "keyturn-crashes-"));
const disk = watchDisk(folder);
afterAll(() => {
  disk.close();
  rmSync(folder, { recursive: true });
});

proveKills("file store", filePlace(disk), /^fs\.renameSync/);

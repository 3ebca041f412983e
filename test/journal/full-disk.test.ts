import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const CHILD = fileURLToPath(new URL("./full-disk.ts", import.meta.url));
/** Mounts a file system of one megabyte at $1, in a namespace that ends with the command. */
const SMALL_DISK = 'mount -t tmpfs -o size=1m none "$1" && exec "$2" "$3" "$1"';

const unshare = (folder: string, command: string, ...args: string[]) =>
  ["unshare", ["--user", "--map-root-user", "--mount", "sh", "-c", command, "sh", folder, ...args]] as const;

/** Not every system lets its users mount in a namespace of their own. */
const mayMount = spawnSync(...unshare(tmpdir(), 'mount -t tmpfs none "$1"')).status === 0;

describe.runIf(mayMount)("a disk without room", () => {
  test("under the journal and the file store: said as such, nothing is lost, and both go on once there is room", async () => {
    const folder = await mkdtemp(join(tmpdir(), "keyturn-full-"));
    const told = execFileSync(...unshare(folder, SMALL_DISK, process.execPath, CHILD), { encoding: "utf8" });
    await rm(folder, { recursive: true });
    expect(JSON.parse(told)).toEqual({
      commit: {
        code: "full",
        message: "the journal DIR/journal.db has no space left to write to (database or disk is full)",
        hint: "free some space on that disk; nothing was lost",
      },
      afterwards: ["before"],
      commitAgain: "done",
      kept: ["before", "after"],
      upgrade: expect.objectContaining({ code: "full" }),
      copies: [],
      stage: {
        code: "full",
        message: expect.stringMatching(/^DIR\/secrets\/.*: no space left on the device$/),
        hint: "make room there; nothing was changed",
      },
      consumerFileUntouched: true,
      stagedThen: 0,
      promote: expect.objectContaining({ code: "full" }),
      stillConsumed: true,
      promoteAgain: "done",
      current: true,
      leftovers: [],
    });
  });
});

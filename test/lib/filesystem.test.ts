import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { refuseNetworkFileSystem } from "../../src/lib/filesystem.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyturn-filesystem-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** A kernel that gives this type for every folder. */
const saying = (type: number, mount?: string) => ({ type: async () => type, mountType: async () => mount });

test("a folder on a local disk is accepted, also one that is still to be made", async () => {
  await refuseNetworkFileSystem(folder);
  await refuseNetworkFileSystem(join(folder, "not", "yet", "made"));
});

test.each([
  [0x6969, "NFS"],
  [0xff534d42, "CIFS"],
  [0xff534d42 | 0, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x01021997, "9p"],
  [0x00c36400, "Ceph"],
])("the type %i is refused as %s, with what to do", async (type, name) => {
  await expect(refuseNetworkFileSystem(folder, saying(type))).rejects.toMatchObject({
    code: "unusable",
    message: expect.stringContaining(`${folder} is on a network file system (${name})`),
    hint: expect.stringContaining("local disk"),
  });
});

test("of the file systems in user space the remote ones are refused", async () => {
  const FUSE = 0x65735546;
  await expect(refuseNetworkFileSystem(folder, saying(FUSE, "fuse.sshfs"))).rejects.toMatchObject({
    code: "unusable",
  });
  await refuseNetworkFileSystem(folder, saying(FUSE, "fuse.gocryptfs"));
  await refuseNetworkFileSystem(folder, saying(FUSE));
});

test("a path that leads through a file is unusable, not absent", async () => {
  await writeFile(join(folder, "file"), "");
  await expect(refuseNetworkFileSystem(join(folder, "file", "sub"))).rejects.toMatchObject({
    code: "unusable",
  });
});

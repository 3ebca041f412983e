import { readFile, stat, statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { RotationError } from "./errors.ts";
import { refusedFolder } from "./permissions.ts";

/** Types that statfs(2) gives to file systems shared between machines, where kernel locks and shared memory don't hold. */
const NETWORK_TYPES: Readonly<Record<number, string>> = {
  26985: "NFS",
  4283649346: "CIFS",
  20859: "SMB",
  4266872130: "SMB2",
  16914839: "9p",
  12805120: "Ceph",
  198183888: "Lustre",
  1397113167: "AFS",
  1799439955: "AFS",
  1937076805: "Coda",
  22092: "NCP",
  18225520: "GFS2",
  1952539503: "OCFS2",
  1196443219: "GPFS",
  428016422: "BeeGFS",
};
const FUSE = 0x65735546;
/** FUSE stands before local and remote file systems alike; these are the remote ones, as the mount table names them. */
const REMOTE_FUSE =
  /^fuse\.(sshfs|glusterfs|ceph-fuse|ceph|s3fs|goofys|mountpoint-s3|gcsfuse|blobfuse2?|rclone|davfs2?|juicefs|cifs|smbnetfs|seaweedfs|lizardfs|moosefs|mfs)$/i;

/** What is asked of the kernel about a folder; the real one unless a test says otherwise. */
export interface FileSystemFacts {
  /** The `f_type` of statfs(2). */
  type(folder: string): Promise<number>;
  /** The mount table's name for the file system the folder is on, if the system has such a table. */
  mountType(folder: string): Promise<string | undefined>;
}

const kernel: FileSystemFacts = {
  type: async (folder) => (await statfs(folder)).type,
  mountType: async (folder) => {
    const { dev } = await stat(folder);
    const device = `${(dev >>> 8) & 0xfff}:${(dev & 0xff) | ((dev >>> 12) & 0xfff00)}`;
    const table = await readFile("/proc/self/mountinfo", "utf8").catch(() => "");
    const line = table.split("\n").find((mount) => mount.split(" ")[2] === device);
    return line?.split(" - ")[1]?.split(" ")[0];
  },
};

/**
 * Throws RotationError `unusable` when `folder`, or its nearest parent that exists, lies on a
 * network file system; `forbidden` when it cannot be looked at. A system that doesn't say is trusted.
 */
export async function refuseNetworkFileSystem(
  folder: string,
  facts: FileSystemFacts = kernel,
): Promise<void> {
  const found = await nearestExisting(resolve(folder));
  const type = (await facts.type(found)) >>> 0;
  let kind = NETWORK_TYPES[type];
  if (type === FUSE) {
    const mount = await facts.mountType(found);
    if (mount !== undefined && REMOTE_FUSE.test(mount)) kind = mount;
  }
  if (kind === undefined) return;
  throw new RotationError(
    "unusable",
    `${folder} is on a network file system (${kind}), where file locks cannot be relied on`,
    {
      hint: "put it on a local disk, or on a volume that only one machine mounts",
    },
  );
}

/** The folder, or the nearest above it that exists. Throws RotationError `forbidden` or `unusable` when that cannot be told. */
export async function nearestExisting(folder: string): Promise<string> {
  try {
    await stat(folder);
    return folder;
  } catch (thrown) {
    const cause = thrown as NodeJS.ErrnoException;
    if (cause.code === "ENOENT" && dirname(folder) !== folder) return nearestExisting(dirname(folder));
    throw new RotationError(
      cause.code === "EACCES" ? "forbidden" : "unusable",
      `${folder} cannot be looked at (${cause.code})`,
      {
        hint: "check the path, and that every folder in it is one and may be entered",
        cause,
      },
    );
  }
}

/** Throws RotationError `forbidden` where Node's permission model keeps us out of a folder that we read and write. */
export function requireRights(folder: string): void {
  const refused = refusedFolder(resolve(folder));
  if (refused) throw new RotationError("forbidden", refused.message, { hint: refused.hint });
}

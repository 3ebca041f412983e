#!/nodejs/bin/node
/**
 * Where the command starts in the image, in which nothing but Node could run a script: it becomes
 * Node with its permission model on, in the same process, so that signals and the exit status are
 * the command's own. Not by NODE_OPTIONS, which a user may set for other reasons.
 */
import { fileURLToPath } from "node:url";
import { type Permissions, permissionOptions, withAllowed } from "./lib/permissions.ts";

const IMAGE: Permissions = {
  read: [
    fileURLToPath(new URL("..", import.meta.url)),
    "/etc/keyturn",
    "/etc/ssl",
    "/run/secrets",
    // What Kubernetes mounts is read by this name.
    "/var/run/secrets",
    // Whether a journal is on a network file system.
    "/proc/self/mountinfo",
    "/dev/stdin",
  ],
  write: ["/data", "/tmp"],
  childProcess: false,
};

const { argv, env, execPath } = process;
const command = fileURLToPath(new URL("cli.js", import.meta.url));
process.execve?.(
  execPath,
  [execPath, ...permissionOptions(withAllowed(IMAGE, env)), command, ...argv.slice(2)],
  env,
);

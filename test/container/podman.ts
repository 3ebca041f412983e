import { execFile } from "node:child_process";

/** Podman with its options, and an image of ours in its store; `.ci/container` sets it. */
const [program = "", ...options] = (process.env.KEYTURN_TEST_PODMAN ?? "").split(" ");
export const IMAGE = "localhost/keyturn";

export interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs podman to its end, whatever its exit status. */
export function podman(...args: string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    execFile(program, [...options, ...args], { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== "number") reject(error);
      else resolve({ status: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

/** The same, where a failure is not what is asked about. Gives standard output. */
export async function must(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await podman(...args);
  if (status !== 0) throw new Error(`podman ${args.join(" ")}: ${status}\n${stdout}${stderr}`);
  return stdout.trim();
}

/** As a careful operator runs it: nothing but its volumes can be written, and no right is left. */
export const HARDENED = [
  "--read-only",
  "--read-only-tmpfs=false",
  "--cap-drop=all",
  "--security-opt=no-new-privileges",
  // What a machine without systemd or the right to raise limits needs; no matter of the image's.
  "--no-healthcheck",
  "--ulimit=nofile=1024:1024",
  "--ulimit=nproc=1024:1024",
];

/** `docker run --rm IMAGE ARGS…`; without a network unless `flags` name one. */
export function run(flags: readonly string[], ...args: string[]): Promise<Ran> {
  return podman("run", "--rm", ...HARDENED, ...networked(flags), IMAGE, ...args);
}

function networked(flags: readonly string[]): readonly string[] {
  return flags.some((flag) => flag.startsWith("--network=")) ? flags : ["--network=none", ...flags];
}

/** A container in the background, until it is disposed of. */
export async function start(flags: readonly string[], ...args: string[]) {
  const id = await must("run", "--detach", ...HARDENED, ...networked(flags), IMAGE, ...args);
  return {
    id,
    /** `docker exec`. */
    exec: (...command: string[]) => podman("exec", id, ...command),
    logs: async () => {
      const { stdout, stderr } = await podman("logs", id);
      return stdout + stderr;
    },
    signal: (name: string) => podman("kill", `--signal=${name}`, id),
    isRunning: async () => (await must("inspect", "--format={{.State.Running}}", id)) === "true",
    /** `docker stop`: SIGTERM, and SIGKILL when it has not ended after half a minute. Gives the exit status. */
    stop: async () => {
      await must("stop", "--time=30", id);
      return Number(await must("inspect", "--format={{.State.ExitCode}}", id));
    },
    [Symbol.asyncDispose]: async () => {
      await podman("rm", "--force", "--volumes", "--time=0", id);
    },
  };
}

export type Container = Awaited<ReturnType<typeof start>>;

/** Looks again and again until `look` gives something. */
export async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

import { spawn } from "node:child_process";
import { startControlPlane } from "./control-plane.ts";

/**
 * node start.ts PROGRAMS COMMAND…: runs the command beside a control plane of the programs in that
 * folder, with KEYTURN_TEST_KUBECONFIG in its environment, and ends with the command's status.
 */
const [programs, command, ...args] = process.argv.slice(2);
if (programs === undefined || command === undefined) throw new Error("usage: start.ts PROGRAMS COMMAND…");

const stopped = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stopped.abort());

await using plane = await startControlPlane(programs);
process.exitCode = await new Promise<number>((resolve, reject) => {
  const env = {
    ...process.env,
    KEYTURN_TEST_KUBECONFIG: plane.kubeconfig,
    KEYTURN_TEST_KUBE_PROGRAMS: programs,
  };
  const child = spawn(command, args, { env, stdio: "inherit" });
  const stop = () => child.kill("SIGTERM");
  if (stopped.signal.aborted) stop();
  stopped.signal.addEventListener("abort", stop);
  child.once("error", reject).once("close", (status) => resolve(status ?? 1));
});

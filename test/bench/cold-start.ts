import { awsWorld } from "./aws-world.ts";
import { CLI, ratios, type Spread, sideBySide, timeProcess } from "./measure.ts";

/** Wall time of commands that have nothing to do, whole process, to that of Node with nothing to do. */
export async function coldStart(runs: number): Promise<Record<string, Spread>> {
  await using world = await awsWorld("cold", 0);
  const policy = ["--policy", world.policy];
  await timeProcess([CLI, "now", ...policy], world.env);
  const commands: Record<string, string[]> = {
    "rotate --version": ["--version"],
    "rotate --help": ["--help"],
    "rotate validate": ["validate", ...policy],
    "rotate once, nothing due": ["once", ...policy],
  };
  const [bare = [], ...times] = await sideBySide(
    [["-e", "0"], ...Object.values(commands).map((words) => [CLI, ...words])].map(
      (argv) => () => timeProcess(argv, world.env),
    ),
    runs,
  );
  return Object.fromEntries(
    Object.keys(commands).map((name, index) => [name, ratios(times[index] ?? [], bare)]),
  );
}

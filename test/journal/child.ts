import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Answer, Command, Committed } from "./process.ts";

export interface Child {
  tell(command: Command): Promise<Answer>;
  /** Tells it what it answers over and over; what it has answered so far. */
  stream(command: Command): () => readonly Committed[];
  signal(signal: NodeJS.Signals): void;
  /** Kills it with SIGKILL and waits until it is gone. */
  kill(): Promise<void>;
}

/** Starts another process with the journal at `path` open. */
export async function startChild(path: string): Promise<Child> {
  const child: ChildProcess = fork(fileURLToPath(new URL("./process.ts", import.meta.url)), { execArgv: [] });
  const tell = async (command: Command): Promise<Answer> => {
    const answer = once(child, "message");
    child.send(command);
    return (await answer)[0] as Answer;
  };
  const opened = await tell({ do: "open", path });
  if (opened.error) throw new Error(`the child could not open the journal: ${opened.error}`);
  return {
    tell,
    stream(command) {
      const committed: Committed[] = [];
      child.on("message", (message: Answer | Committed) => {
        if ("round" in message) committed.push(message);
      });
      child.send(command);
      return () => committed;
    },
    signal: (signal) => child.kill(signal),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}

import { RotationError } from "../../lib/errors.ts";
import { judgePolicy, type LoadedPolicy, PolicyError } from "../../policy/load.ts";
import { compose } from "./compose.ts";
import { type Draft, draftOf } from "./draft.ts";
import { surroundingsOf } from "./surroundings.ts";

/** Something in a draft that makes no valid policy. */
export interface Problem {
  /** The option that says it: `--schedule`; empty where none does. */
  option: string;
  /** What was found, what is accepted, and what to do about it. */
  message: string;
}

export type Judgement = { loaded: LoadedPolicy } | { problems: Problem[] };

/** Where in the policy each option shows. */
const OPTIONS: readonly [RegExp, string][] = [
  [/^keys\[0\]\.name/, "--key"],
  [/^keys\[0\]\.schedule/, "--schedule"],
  [/^keys\[0\]\.timezone/, "--timezone"],
  [/^keys\[0\]\.adopt/, "--adopt"],
  [/^keys\[0\]\.settings\.workspaceId/, "--workspace"],
  [/^keys\[0\]\.store\.field/, "--field"],
  [/^keys\[0\]\.store\.create/, "--create"],
  [/^keys\[0\]\.store/, "--secret"],
  [/^keys\[0\]\.consumers/, "--consumer"],
  [/^keys\[0\]\.retire/, "--retire-after"],
  [/^keys\[0\]\.notify/, "--notify-env"],
  [/^stores\.\w+\.path/, "--store-path"],
  [/^stores\.\w+\.region/, "--region"],
  [/^stores\.\w+\.namespace/, "--namespace"],
  [/^(stores\.\w+|journal)\.context/, "--context"],
  [/^providers\.\w+\.managementKey\.file/, "--management-key-file"],
  [/^providers\.\w+\.managementKey/, "--management-key-env"],
];

/** What was said, as the loader sees the policy that it makes. Nothing is written or called. */
export type Judge = (given: Partial<Draft>) => Promise<Judgement>;

/** Judges as a policy that would lie at `file`, by what a command sees of the environment. */
export function judgeAt(file: string, env: NodeJS.ProcessEnv): Judge {
  return async (given) => {
    const draft = draftOf(given);
    try {
      const text = compose(draft, surroundingsOf(file, draft.provider, env));
      return { loaded: await judgePolicy(file, text, env) };
    } catch (thrown) {
      if (!(thrown instanceof PolicyError)) throw thrown;
      const problems = thrown.faults.map(({ path, message, hint }) => ({
        option: OPTIONS.find(([form]) => form.test(path))?.[1] ?? "",
        message: `${message}${hint === undefined ? "" : `; ${hint}`}`,
      }));
      // A secret that has its name from the key is at fault with it.
      const follows = given.secret === undefined && problems.some(({ option }) => option === "--key");
      return { problems: problems.filter(({ option }) => !(follows && option === "--secret")) };
    }
  };
}

/** The policy. Throws RotationError `usage` with everything that is missing or wrong. */
export function fitOrThrow(judgement: Judgement, missing: readonly string[] = []): LoadedPolicy {
  const problems = "problems" in judgement ? judgement.problems.map(line) : [];
  if ("loaded" in judgement && missing.length === 0) return judgement.loaded;
  throw new RotationError("usage", "this makes no valid policy yet", {
    hint: [...new Set([...missing, ...problems])].join("\n  "),
  });
}

function line({ option, message }: Problem): string {
  return option === "" ? message : `${option}: ${message}`;
}

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { RotationError } from "../lib/errors.ts";
import { secretReader } from "../lib/secret-source.ts";
import { loadPolicy } from "../policy/load.ts";
import { canAsk } from "./ask.ts";
import type { Globals } from "./context.ts";
import { EXIT } from "./exit.ts";
import { accountOf } from "./init/account.ts";
import { askFor, Canceled, type Prompts } from "./init/ask.ts";
import { draftOf } from "./init/draft.ts";
import { givenBy, missingIn, type PolicyFlags } from "./init/flags.ts";
import { fitOrThrow, judgeAt } from "./init/judge.ts";
import { nextSteps } from "./init/next-steps.ts";
import { rightsOf } from "./init/rights.ts";
import { schemaAt } from "./init/surroundings.ts";
import { isThere, writeNew } from "./init/write-new.ts";
import { print } from "./print.ts";
import { noteLines } from "./render/notes.ts";
import { styler, wantsColor } from "./render/style.ts";
import { STARTER_POLICY } from "./shipped.ts";

export interface InitOptions extends PolicyFlags {
  kubernetesRbac?: boolean;
  serviceAccount?: string;
  output?: string;
}

/** As a shell says of a program that Ctrl-C has ended. */
const CANCELED = 130;

/**
 * `rotate init`: writes a policy from the options and, on a terminal, from what a person answers; or
 * prints the rights that a policy needs in Kubernetes. Reads the account's keys where the management
 * key is at hand and one of them is to be chosen or adopted; changes nothing there, and overwrites nothing.
 */
export async function init(globals: Globals, options: InitOptions): Promise<number> {
  const { kubernetesRbac, serviceAccount, output, ...flags } = options;
  if (kubernetesRbac) return await printRights(globals, options);
  refuseStray(options);
  const file = output ?? globals.policy;
  if (existsSync(file)) throw isThere(file);
  const asks = canAsk();
  if (!asks && Object.keys(flags).length === 0) return await writeStarter(file);
  try {
    const prompts = asks
      ? await (await import("./init/terminal.ts")).terminalPrompts(globals.color)
      : undefined;
    return await writePolicy(globals, file, flags, prompts);
  } catch (thrown) {
    if (!(thrown instanceof Canceled)) throw thrown;
    process.stderr.write("\nrotate: canceled; nothing is written\n");
    return CANCELED;
  }
}

async function writePolicy(
  globals: Globals,
  file: string,
  { offline = false, ...flags }: PolicyFlags,
  prompts: Prompts | undefined,
): Promise<number> {
  const { oneProvider } = await import("../main.ts");
  const judge = judgeAt(file, process.env);
  const account = accountOf({
    judge,
    connect: oneProvider(process.env),
    readSecret: secretReader(process.env),
    say: (text) => process.stderr.write(`${text}\n`),
    offline,
  });
  const given = await account.adopted(givenBy(flags));
  const missing = missingIn(given);
  fitOrThrow(await judge(given), prompts ? [] : missing);
  const said =
    missing.length > 0 && prompts ? await askFor(given, { prompts, judge, keysOf: account.keys }) : given;
  const { text, warnings } = fitOrThrow(await judge(said));
  await writeNew(file, text);
  const style = styler(wantsColor(process.stdout, globals.color));
  const steps = nextSteps(draftOf(said), file, await account.isOpen(said));
  print([`${file} is written, and valid. Next:`, ...steps, ...noteLines(file, warnings, style)].join("\n"));
  return EXIT.done;
}

/** Without a terminal and without a word there is nothing to go by: an example to edit. */
async function writeStarter(file: string): Promise<number> {
  const text = await readFile(STARTER_POLICY, "utf8");
  const schema = schemaAt(file);
  const line = schema === undefined ? "" : `# yaml-language-server: $schema=${schema}\n#\n`;
  await writeNew(
    file,
    text.replace(/^# yaml-language-server.*\n(#\n)?/, () => line),
  );
  print(`${file} is written: say in it which keys to keep fresh, then run rotate validate`);
  return EXIT.done;
}

async function printRights(globals: Globals, options: InitOptions): Promise<number> {
  const { kubernetesRbac, output, namespace, serviceAccount, context, ...ofPolicies } = options;
  const [stray] = Object.keys(ofPolicies);
  if (stray !== undefined)
    throw new RotationError("usage", `${spelledOut(stray)} is for writing a policy`, {
      hint: "--kubernetes-rbac prints what the policy of --policy needs",
    });
  const { policy } = await loadPolicy(globals.policy, process.env);
  const text = rightsOf(policy, globals.policy, {
    ...(namespace === undefined ? {} : { namespace }),
    ...(serviceAccount === undefined ? {} : { serviceAccount }),
    ...(context === undefined ? {} : { context }),
  });
  if (output === undefined) print(text.trimEnd());
  else await writeNew(output, text);
  return EXIT.done;
}

/** Options that say something of another kind of store than the one that was named. */
const BELONGS_TO = {
  storePath: "file",
  region: "aws",
  namespace: "kubernetes",
  context: "kubernetes",
} as const;

function refuseStray(options: InitOptions): void {
  if (options.serviceAccount !== undefined)
    throw new RotationError("usage", "--service-account goes with --kubernetes-rbac");
  for (const [name, store] of Object.entries(BELONGS_TO)) {
    if (options[name as keyof typeof BELONGS_TO] === undefined || options.store === store) continue;
    if (store === "file" && options.store === undefined) continue;
    const or = store === "kubernetes" ? "--kubernetes-rbac or " : "";
    throw new RotationError("usage", `${spelledOut(name)} goes with ${or}--store ${store}`);
  }
}

function spelledOut(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

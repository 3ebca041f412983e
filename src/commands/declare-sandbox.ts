import { type Command, InvalidArgumentError, Option } from "commander";
import { DIALECT_HELP } from "../sandbox/arouter-dialect.ts";
import { FAULT_HELP } from "../sandbox/faults.ts";
import { durationOption, examples, json } from "./options.ts";
import type { Run } from "./program.ts";

/** Declares the commands that need nothing but this program: what they talk to runs on loopback. */
export function declareSandbox(program: Command, run: Run): void {
  program
    .command("demo")
    .description("a rotation in the sandbox, under live traffic, and the proof that no request failed")
    .addOption(json())
    .addHelpText("after", examples("rotate demo", "npx keyturn demo"))
    .action((options) => run(async (globals) => (await import("./demo.ts")).demo(globals, options)));

  program
    .command("sandbox")
    .argument("[COMMAND...]", "what to run inside; without it the sandbox runs until interrupted")
    .usage("[options] [-- COMMAND...]")
    .description("a provider and two services on loopback to try things on")
    .addOption(new Option("--port <number>", "the provider's; 0 takes a free one").argParser(port).default(0))
    .addOption(
      new Option("--provider <type>", "the API that it speaks")
        .choices(["openrouter", "arouter"])
        .default("openrouter"),
    )
    .addOption(repeated("--dialect <knob=value>", "answer as others of ARouter's sources say, see below"))
    .addOption(repeated("--fault <spec>", "strike calls with a fault, see below"))
    .addOption(durationOption("--activation-delay <duration>", "until a new key is accepted", "0s"))
    .addOption(durationOption("--disable-delay <duration>", "until a disabled key is refused", "0s"))
    .addOption(durationOption("--list-delay <duration>", "how far the list of keys lags behind", "0s"))
    .addOption(durationOption("--latency <duration>", "before each answer", "0s"))
    .option("--keep <dir>", "put store and journal into this folder, and leave them there")
    .addHelpText(
      "after",
      `
A fault is ${FAULT_HELP}

A dialect is ${DIALECT_HELP}
${examples(
  "rotate sandbox",
  "rotate sandbox -- rotate once",
  "rotate sandbox --activation-delay 2s --fault create:lost-reply -- rotate once",
  "rotate sandbox --provider arouter --dialect created=flat -- rotate once",
)}`,
    )
    .action((command: string[], options) =>
      run(async (globals) => (await import("./sandbox.ts")).sandbox(globals, command, options)),
    );
}

function repeated(flags: string, description: string): Option {
  return new Option(flags, `${description}; may be repeated`)
    .argParser((spec: string, earlier: string[]) => [...earlier, spec])
    .default([], "none");
}

function port(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError("Give a port from 0 to 65535.");
}

import { createInterface } from "node:readline/promises";

/** Whether a person is there to be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks a yes-or-no question on the terminal; anything but yes, and the end of input, is no. */
export async function confirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
  terminal.once("SIGINT", () => terminal.close());
  try {
    const answer = await Promise.race([terminal.question(`${question} [y/N] `), ended]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

/** The longest secret that is read: far above any key, far below what would fill the memory. */
const MOST_CHARACTERS = 65_536;

/** Reads a secret: hidden on a terminal, else all of standard input. Undefined when it was given up. */
export async function readHidden(prompt: string): Promise<string | undefined> {
  return process.stdin.isTTY ? await readTyped(prompt) : await readPiped();
}

async function readPiped(): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) {
    text += chunk;
    if (text.length > MOST_CHARACTERS) break;
  }
  return text.slice(0, MOST_CHARACTERS);
}

function readTyped(prompt: string): Promise<string | undefined> {
  const { stdin, stderr } = process;
  stderr.write(prompt);
  stdin.setRawMode(true);
  stdin.setEncoding("utf8").resume();
  return new Promise((resolve) => {
    let text = "";
    const end = (result: string | undefined) => {
      stdin.off("data", take).setRawMode(false).pause();
      stderr.write("\n");
      resolve(result);
    };
    const take = (typed: string) => {
      for (const character of typed) {
        if (character === "\u0003") return end(undefined);
        if (character === "\r" || character === "\n" || character === "\u0004") return end(text);
        text = character === "\u007f" ? text.slice(0, -1) : (text + character).slice(0, MOST_CHARACTERS);
      }
    };
    stdin.on("data", take);
  });
}

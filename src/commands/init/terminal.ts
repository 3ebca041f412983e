import { Canceled, type Prompts } from "./ask.ts";

/** Standard output is for results. */
const CONTEXT = { output: process.stderr };

/** Prompts on the terminal: questions on standard error, answers from standard input. */
export async function terminalPrompts(color: boolean): Promise<Prompts> {
  // The library has no switch of its own.
  if (!color) process.env.NO_COLOR = "1";
  const { confirm, input, select } = await import("@inquirer/prompts");
  return {
    select: (message, choices) => orCanceled(select({ message, choices, pageSize: 12 }, CONTEXT)),
    input: async (message, { preset, fault }) => {
      const answer = await orCanceled(
        input(
          {
            message,
            ...(preset === undefined ? {} : { default: preset }),
            validate: async (text) => (await fault?.(text.trim())) ?? true,
          },
          CONTEXT,
        ),
      );
      return answer.trim();
    },
    confirm: (message, preset) => orCanceled(confirm({ message, default: preset }, CONTEXT)),
  };
}

/** Ctrl-C and the end of input at a prompt, by the name that the library gives them. */
async function orCanceled<T>(prompt: Promise<T>): Promise<T> {
  try {
    return await prompt;
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === "ExitPromptError") throw new Canceled();
    throw thrown;
  }
}

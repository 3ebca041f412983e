import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasTerminal, inTerminal } from "./terminal.ts";
import { CLI } from "./world.ts";

const POLICY = `
keys:
  - { name: payments-api, consumers: [{ name: payments }] }
  - { name: chat, consumers: none }
`;

const has = (shell: string) => spawnSync(shell, ["--version"]).status === 0;

/** A folder with a policy and the command on PATH. */
let folder: string;
let env: NodeJS.ProcessEnv;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "keyturn-completion-"));
  writeFileSync(join(folder, "rotation.yaml"), POLICY);
  const rotate = join(folder, "rotate");
  writeFileSync(rotate, `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`);
  chmodSync(rotate, 0o755);
  env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(shell: string, script: string): string[] {
  const args = { bash: ["--norc", "-c"], zsh: ["-f", "-c"], fish: ["--no-config", "-c"] }[shell] ?? ["-c"];
  const { stdout, stderr } = spawnSync(shell, [...args, script], { cwd: folder, env, encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.trim().split("\n");
}

describe("completion in bash", () => {
  /** What Tab offers after words as Bash splits them. */
  const tab = (...words: string[]) =>
    run(
      "bash",
      `source <(rotate completion bash)
COMP_WORDS=(rotate ${words.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=${words.length}
_rotate
printf '%s\\n' "\${COMPREPLY[@]}"`,
    );

  test("offers commands, options, their values and the policy's keys", () => {
    expect(tab("stat")).toEqual(["status"]);
    expect(tab("status", "--w")).toEqual(["--watch"]);
    expect(tab("--now", "")).toEqual(["payments-api", "chat"]);
    expect(tab("--now", "--until", "=", "d")).toEqual(["deleted"]);
  });

  test("offers files where an option takes one", () => {
    expect(tab("--policy", "rotation")).toEqual(["rotation.yaml"]);
    expect(tab("--policy", "=")).toContain("rotation.yaml");
  });

  test("evaluates nothing of what was typed", () => {
    tab("status", `$(touch ${join(folder, "touched")})`);
    tab("status", `\`touch ${join(folder, "touched")}\``, "");
    expect(existsSync(join(folder, "touched"))).toBe(false);
  });

  test("may be loaded twice, and is registered for both names", () => {
    const script =
      "source <(rotate completion bash); source <(rotate completion bash); complete -p rotate keyturn";
    expect(run("bash", script)).toEqual(["complete -F _rotate rotate", "complete -F _rotate keyturn"]);
  });

  test("offers nothing, and says nothing, where the policy cannot be read", () => {
    expect(tab("--policy", "nowhere.yaml", "status", "")).toEqual([""]);
  });
});

describe.runIf(has("fish"))("completion in fish", () => {
  const tab = (line: string) => run("fish", `rotate completion fish | source; complete -C '${line}'`);

  test("offers commands, values, keys and files, with what they are", () => {
    expect(tab("rotate stat")).toEqual([expect.stringMatching(/^status\t.*phase/)]);
    expect(tab("rotate --now ")).toEqual(["chat\tkey of the policy", "payments-api\tkey of the policy"]);
    expect(tab("rotate --log-level=d")).toEqual(["--log-level=debug"]);
    expect(tab("rotate --policy rotation")).toEqual(["rotation.yaml"]);
    expect(tab("rotate --policy=rotation")).toEqual(["--policy=rotation.yaml"]);
  });
});

describe.runIf(has("zsh") && hasTerminal)("completion in zsh", () => {
  test("completes commands, values, keys and files on the line", async () => {
    const start = "autoload -U compinit; compinit -u -D; source <(rotate completion zsh); PROMPT='ready> '\n";
    writeFileSync(join(folder, ".zshrc"), start);
    const clear = "\u0015";
    const { output } = await inTerminal(
      ["zsh", "-d"],
      [
        ["ready> ", "rotate stat\t"],
        ["rotate status", `${clear}rotate --now pay\t`],
        ["rotate --now payments-api", `${clear}rotate --log-level=de\t`],
        ["rotate --log-level=debug", `${clear}rotate --policy rotati\t`],
        ["rotate --policy rotation.yaml", `${clear}exit\r`],
      ],
      { env, cwd: folder },
    );
    expect(output).toContain("rotation.yaml");
  });
});

test("the script for PowerShell asks with the words as arguments, the one being typed in an option", () => {
  const { stdout, status } = spawnSync("sh", ["-c", "rotate completion powershell"], {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  expect(status).toBe(0);
  expect(stdout).toContain("Register-ArgumentCompleter -Native -CommandName rotate, keyturn");
  expect(stdout).toContain('complete "--current=$wordToComplete" -- @rest');
  expect(stdout).not.toContain("Invoke-Expression");
});

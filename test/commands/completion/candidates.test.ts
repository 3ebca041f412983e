import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { candidates } from "../../../src/commands/completion/candidates.ts";
import { build } from "../../../src/commands/program.ts";
import { type PolicyNames, policyNames } from "../../../src/policy/names.ts";

const program = build(async () => {});
const NAMES: PolicyNames = {
  providers: ["openrouter", "arouter"],
  stores: ["local", "aws"],
  keys: [
    { name: "payments-api", consumers: ["payments", "billing"] },
    { name: "chat", consumers: ["web"] },
  ],
};

/** What is offered at the end of a line, of which the last word is being typed. */
async function offered(line: string, names = async () => NAMES): Promise<string[]> {
  const words = line.split(" ");
  const current = words.pop() ?? "";
  const found = await candidates(program, words, current, names);
  return [...found.words.map(({ word }) => word), ...(found.files ? [":files"] : [])];
}

describe("a line is completed", () => {
  it.each([
    ["stat", ["status"]],
    ["--n", ["--no-color", "--now"]],
    ["keys di", ["disable"]],
    ["journal ", ["export", "import"]],
    ["completion ", ["bash", "zsh", "fish", "powershell"]],
    ["status --w", ["--watch"]],
    ["status --watch --w", []],
    ["status ", ["payments-api", "chat"]],
    ["status chat ", ["payments-api"]],
    ["--now pay", ["payments-api"]],
    ["--policy other.yaml --now --until ", ["completed", "deleted"]],
    ["--log-level d", ["debug"]],
    ["status --log-level=d", ["--log-level=debug"]],
    ["rollback chat ", []],
    ["approve chat --without ", ["web"]],
    ["approve --without ", ["payments", "billing", "web"]],
    ["keys list --provider a", ["arouter"]],
    ["keys create ci --store ", ["local", "aws"]],
    ["keys create ci --limit-reset ", ["daily", "weekly", "monthly", "none"]],
    ["keys create ci --limit-reset = w", ["weekly"]],
    ["keys create ci --include-byok-in-limit ", ["true", "false"]],
    ["keys create ci --limit ", []],
    ["init --store k", ["kubernetes"]],
    ["init --consumer a=b --cons", ["--consumer"]],
    ["sandbox --provider ar", ["arouter"]],
    ["sandbox -- ", [":files"]],
    ["journal import ", [":files"]],
    ["--policy ", [":files"]],
    ["status --policy=", [":files"]],
    ["nonsense ", expect.arrayContaining(["status"])],
    ["history -- --", []],
  ])("%s", async (line, expected) => {
    expect(await offered(line)).toEqual(expected);
  });

  it("with every command and no hidden one, where nothing is typed yet", async () => {
    const all = await offered("");
    expect(all).toContain("--now");
    expect(all).not.toContain("complete");
    expect(all).not.toContain("help");
  });

  it("without reading the policy, where none of its names may stand", async () => {
    const refuse = () => Promise.reject(new Error("read"));
    expect(await offered("status --", refuse)).toContain("--json");
    await expect(offered("status ", refuse)).rejects.toThrow("read");
  });

  it("whatever was typed before", async () => {
    const word = fc.oneof(
      fc.constantFrom("--", "=", "--now", "keys", "status", "--policy", "--policy=", "-", ""),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word), word, async (words, current) => {
        const found = await candidates(program, words, current, async () => NAMES);
        for (const one of found.words) expect(one.word).toMatch(/^[\w=-]+$/);
      }),
      { numRuns: 500 },
    );
  });
});

describe("the names of a policy", () => {
  const written = async (text: string) => {
    const file = join(await mkdtemp(join(tmpdir(), "keyturn-")), "rotation.yaml");
    await writeFile(file, text);
    return file;
  };

  it("are read though the environment lacks what it refers to, and though it is not valid", async () => {
    const text = `providers: { main: { baseUrl: "\${NOWHERE}" } }
keys:
  - { name: chat, consumers: [{ name: web }, { probe: {} }] }
  - { schedule: often }
  - { name: ci, consumers: none }`;
    expect(await policyNames(await written(text))).toEqual({
      providers: ["main"],
      stores: [],
      keys: [
        { name: "chat", consumers: ["web"] },
        { name: "ci", consumers: [] },
      ],
    });
  });

  it.each(["", "- a", "keys: {", "\u0000", "keys: [1, [2], { name: 3 }]", "keys: 7"])(
    "are none of a file like %j",
    async (text) => {
      const file = await written(text);
      expect(await policyNames(file)).toEqual({ providers: [], stores: [], keys: [] });
      expect(await policyNames(`${file}.absent`)).toEqual({ providers: [], stores: [], keys: [] });
    },
  );
});

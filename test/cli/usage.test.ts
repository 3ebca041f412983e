import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rotate, transcript } from "./run.ts";

const COMMANDS = [
  ["worker", "--help"],
  ["once", "--help"],
  ["--now", "--help"],
  ["plan", "--help"],
  ["status", "--help"],
  ["history", "--help"],
  ["validate", "--help"],
  ["approve", "--help"],
  ["rollback", "--help"],
  ["revoke", "--help"],
  ["identify", "--help"],
  ["sweep", "--help"],
  ["keys", "--help"],
  ["demo", "--help"],
  ["sandbox", "--help"],
];

describe.concurrent("rotate, asked about itself", () => {
  it("prints the version of the package", async () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"));
    expect(await rotate(["--version"])).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("prints help when nothing is asked, as with --help", async () => {
    const bare = await rotate([]);
    expect(bare).toEqual(await rotate(["--help"]));
    expect(bare.status).toBe(0);
    expect(bare.stderr).toBe("");
    expect(bare.stdout).toContain("Usage: rotate [options] COMMAND");
    expect(bare.stdout).toContain("--now [KEY...]");
    for (const [name] of COMMANDS) expect(bare.stdout).toMatch(new RegExp(`^  ${name}\\b`, "m"));
  });

  it.each(COMMANDS)("explains %s with an example", async (...args) => {
    const { status, stdout, stderr } = await rotate(args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain(`Usage: rotate ${args[0]}`);
    expect(stdout).toMatch(new RegExp(`Examples:\\n  \\$ rotate ${args[0]}`));
    expect(stdout).toContain("--policy <file>");
  });
});

describe.concurrent("rotate, used wrongly", () => {
  const cases: [string, string[], string][] = [
    [
      "suggests the command that was meant",
      ["statsu"],
      "rotate: unknown command 'statsu'\n  did you mean status?",
    ],
    [
      "says how a key is rotated when a key's name stands alone",
      ["payments-api"],
      "rotate: unknown command 'payments-api'\n  rotate --help lists the commands; to rotate a key of that name: rotate --now payments-api",
    ],
    [
      "suggests the option that was meant",
      ["status", "--wach"],
      "rotate: unknown option '--wach'\n  did you mean --watch?",
    ],
    [
      "refuses --now beside another command",
      ["once", "--now"],
      "rotate: unknown option '--now'\n  it stands alone: rotate --now [KEY...]",
    ],
    [
      "refuses a deadline that is no duration",
      ["--now", "a", "--deadline", "soon"],
      "rotate: option '--deadline <duration>' argument 'soon' is invalid. Give a duration like 90s, 15m or 24h.\n  rotate --now --help says what is accepted",
    ],
    [
      "refuses a log level that there is not",
      ["--log-level", "loud", "status"],
      "rotate: option '--log-level <level>' argument 'loud' is invalid. Allowed choices are trace, debug, info, warn, error, silent.\n  rotate --help says what is accepted",
    ],
    [
      "misses the key to roll back",
      ["rollback"],
      "rotate: missing required argument 'KEY'\n  rotate rollback --help says what is accepted",
    ],
    [
      "names the help of the command whose option it does not know",
      ["init", "--nope"],
      "rotate: unknown option '--nope'\n  rotate init --help says what is accepted",
    ],
    [
      "refuses a second key where one is meant",
      ["approve", "a", "b"],
      "rotate: too many arguments for 'approve'. Expected 1 argument but got 2: a, b.\n  rotate approve --help says what is accepted",
    ],
  ];
  it.each(cases)("%s", async (_, args, said) => {
    expect(transcript(args, await rotate(args))).toBe(`$ rotate ${args.join(" ")}\n${said}\nexit 2`);
  });
});

describe.concurrent("rotate on a policy that is not there", () => {
  const readers = [
    ["validate"],
    ["status"],
    ["plan"],
    ["once"],
    ["--now"],
    ["worker"],
    ["revoke", "a", "--yes"],
  ];
  it.each(readers)("%s says so, names the way out and exits with 2", async (...args) => {
    const { status, stdout, stderr } = await rotate([...args, "--policy", "nowhere.yaml"]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain("nowhere.yaml");
    expect(stderr).toContain("--policy FILE or KEYTURN_POLICY");
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it("takes --policy before the command, after it, and from KEYTURN_POLICY", async () => {
    const ways = await Promise.all([
      rotate(["--policy", "elsewhere.yaml", "validate"]),
      rotate(["validate", "--policy", "elsewhere.yaml"]),
      rotate(["validate"], { env: { KEYTURN_POLICY: "elsewhere.yaml" } }),
    ]);
    for (const way of ways) expect(way.stderr).toContain("elsewhere.yaml");
  });

  it("gives the faults as JSON when asked for JSON", async () => {
    const { status, stdout } = await rotate(["validate", "--json", "--policy", "nowhere.yaml"]);
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      valid: false,
      faults: [{ file: "nowhere.yaml" }],
      warnings: [],
    });
  });
});

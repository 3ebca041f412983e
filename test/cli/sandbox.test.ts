import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CLI, type RunOptions, rotate } from "./run.ts";

const AROUTER_EXAMPLE = join(import.meta.dirname, "../../config/examples/arouter.yaml");
const AROUTER = ["--provider", "arouter", "--dialect"];

/** A folder without a rotation.yaml. */
function elsewhere(): Promise<string> {
  return mkdtemp(join(tmpdir(), "keyturn-cli-"));
}

async function sandbox(args: string[], options: RunOptions = {}) {
  return await rotate(["sandbox", ...args], { cwd: await elsewhere(), ...options });
}

const COUNTS = /^payments: \d+ requests sent, 0 failed\nbilling: \d+ requests sent, 0 failed\n$/m;

describe.concurrent("rotate sandbox -- COMMAND", () => {
  it("runs it with the sandbox in its environment and passes its status on", async () => {
    const program = `
      const { OPENROUTER_BASE_URL, OPENROUTER_MANAGEMENT_KEY, PAYMENTS_URL, MINE } = process.env;
      const authorization = "Bearer " + OPENROUTER_MANAGEMENT_KEY;
      const keys = await fetch(OPENROUTER_BASE_URL + "/keys", { headers: { authorization } });
      const health = await fetch(PAYMENTS_URL + "/healthz");
      console.log(keys.status, health.status, MINE);
      process.exit(7);`;
    const ran = await sandbox(["--", process.execPath, "--input-type=module", "-e", program], {
      env: { MINE: "stays" },
    });
    expect(ran).toEqual({ status: 7, stdout: "200 503 stays\n", stderr: expect.stringMatching(COUNTS) });
  });

  it("knows rotate by itself, and lends it the shipped policy where there is none", async () => {
    const ran = await sandbox(["--", "rotate", "once", "--log-level", "warn"]);
    expect(ran).toEqual({
      status: 0,
      stdout: expect.stringMatching(/1 completed\n$/),
      stderr: expect.stringMatching(COUNTS),
    });
    expect(ran.stderr).not.toMatch(/: 0 requests/);
  });

  it("lends it the policy that was named instead of its own", async () => {
    const ran = await sandbox(["--policy", "other.yaml", "--", "rotate", "validate"]);
    expect(ran.status).toBe(2);
    expect(ran.stderr).toMatch(/other\.yaml/);
  });

  it("speaks ARouter where asked to, and the example for it works inside as it is", async () => {
    const ran = await sandbox([
      ...["--provider", "arouter", "--"],
      ...["rotate", "--policy", AROUTER_EXAMPLE, "--now", "--log-level", "warn"],
    ]);
    expect(ran).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^payments-api: completed in .* is current\n$/),
      stderr: expect.stringMatching(COUNTS),
    });
  });

  it("gives ARouter's variables and policy to what it runs, whatever rotation.yaml lies there", async () => {
    const cwd = await elsewhere();
    await writeFile(join(cwd, "rotation.yaml"), "version: 1\n");
    const program = `
      const { AROUTER_BASE_URL, AROUTER_MANAGEMENT_KEY, OPENROUTER_BASE_URL, KEYTURN_POLICY } = process.env;
      const authorization = "Bearer " + AROUTER_MANAGEMENT_KEY;
      const keys = await fetch(AROUTER_BASE_URL + "/keys", { headers: { authorization } });
      const refused = await fetch(AROUTER_BASE_URL + "/keys/none", { headers: { authorization } });
      console.log(keys.status, AROUTER_MANAGEMENT_KEY.slice(0, 8), OPENROUTER_BASE_URL, KEYTURN_POLICY);
      console.log(refused.status, await refused.text());`;
    const ran = await sandbox(
      [
        ...["--provider", "arouter", "--dialect", "errors=flat", "--dialect", "created=flat"],
        ...["--", process.execPath, "--input-type=module", "-e", program],
      ],
      { cwd },
    );
    expect(ran).toMatchObject({
      status: 0,
      stdout: `200 lr_mgmt_ undefined ${AROUTER_EXAMPLE}\n404 {"code":"not_found","message":"API key not found"}\n`,
    });
  });

  it("exits with 128 and the signal that ended the command", async () => {
    const ran = await sandbox(["--", "sh", "-c", "kill -TERM $$"]);
    expect(ran.status).toBe(128 + 15);
    expect(ran.stderr).toMatch(COUNTS);
  });

  it("tells a command that is not there from one that failed", async () => {
    const ran = await sandbox(["--", "no-such-command"]);
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain("rotate: no-such-command cannot be started (ENOENT)\n");
  });

  it("leaves store and journal in the folder to keep", async () => {
    const cwd = await elsewhere();
    const ran = await sandbox(["--keep", "kept", "--", "rotate", "once", "--log-level", "warn"], { cwd });
    expect(ran.status).toBe(0);
    expect(await readdir(join(cwd, "kept"))).toEqual(expect.arrayContaining(["journal.db", "secrets"]));
    expect(await readdir(join(cwd, "kept/secrets"))).toContain("payments-api.json");
  });

  it("strikes with the faults asked for, and a lost reply costs no request", async () => {
    const ran = await sandbox([
      "--fault",
      "create:lost-reply",
      "--",
      "rotate",
      "once",
      "--log-level",
      "warn",
    ]);
    expect(ran.status).toBe(0);
    expect(ran.stderr).toMatch(/cannot create key/);
    expect(ran.stderr).toMatch(COUNTS);
  });
});

describe.concurrent("rotate sandbox without a command", () => {
  it("prints lines to export, runs until a signal, and counts then", async () => {
    const cwd = await elsewhere();
    const child = spawn(process.execPath, [CLI, "sandbox"], { cwd, env: { PATH: process.env.PATH } });
    const output = { stdout: "", stderr: "" };
    child.stderr.setEncoding("utf8").on("data", (text) => {
      output.stderr += text;
    });
    for await (const text of child.stdout.setEncoding("utf8")) {
      output.stdout += text;
      if (/^export BILLING_URL=.*\n/m.test(output.stdout)) child.kill("SIGTERM");
    }
    const [status] = child.exitCode === null ? await once(child, "exit") : [child.exitCode];

    expect(status).toBe(0);
    for (const line of output.stdout.trimEnd().split("\n")) expect(line).toMatch(/^export \w+=\S+$/);
    const names = [...output.stdout.matchAll(/^export (\w+)=/gm)].map(([, name]) => name);
    expect(names).toEqual(expect.arrayContaining(["OPENROUTER_BASE_URL", "KEYTURN_STORE", "KEYTURN_POLICY"]));
    expect(output.stderr).toContain("rotate once");
    expect(output.stderr).toMatch(COUNTS);
  });
});

describe.concurrent("rotate sandbox, called wrongly", () => {
  it.each<[string[], RegExp]>([
    [["--fault", "create:lost-repyl"], /there is no fault "lost-repyl"\n {2}did you mean lost-reply\?/],
    [["--fault", "creat:500"], /there is no operation "creat"\n {2}did you mean create\?/],
    [["--fault", "list:500:0"], /COUNT is a whole number/],
    [["--port", "70000"], /argument '70000' is invalid. Give a port from 0 to 65535/],
    [["--latency", "fast"], /argument 'fast' is invalid. Give a duration/],
    [["--keep", import.meta.dirname], /cannot be kept in .* \(not empty\)/],
    [["--keep", "/dev/null"], /cannot be kept in \/dev\/null \(ENOTDIR\)/],
    [["--provider", "azure"], /argument 'azure' is invalid. Allowed choices are openrouter, arouter/],
    [["--dialect", "created=flat"], /openrouter has no dialects\n {2}a dialect is ARouter's/],
    [[...AROUTER, "creatd=flat"], /there is no knob "creatd"\n {2}did you mean created\?/],
    [[...AROUTER, "created=flt"], /created is one of enveloped, flat\n {2}did you mean flat\?/],
    [[...AROUTER, "created"], /created is one of enveloped, flat\n {2}write KNOB=VALUE/],
    [[...AROUTER, "largestPage=0"], /largestPage is a whole number from 1 up/],
    [["--wobble"], /unknown option '--wobble'/],
  ])("%j is refused before the command runs", async (args, why) => {
    const ran = await sandbox([...args, "--", "echo", "ran"]);
    expect(ran).toEqual({ status: 2, stdout: "", stderr: expect.stringMatching(why) });
  });
});

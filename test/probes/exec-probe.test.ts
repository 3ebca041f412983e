import { access, chmod, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { createProbe } from "../../src/probes/create-probe.ts";
import { consumer, expected, NEW_KEY, realParts } from "./support.ts";

/** A program of its own for each test. */
async function script(body: string, mode = 0o755): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), "keyturn-")), "check");
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, mode);
  return path;
}

async function probe(exec: string[], rest: object = {}, signal?: AbortSignal) {
  const sweep = await createProbe(consumer({ exec, ...rest }), realParts()).sweep(expected, signal);
  return { ...sweep, ...sweep.instances[0] };
}

test.each([
  ["true", "confirms", "exit 0"],
  ["echo all workers reloaded", "confirms", "all workers reloaded"],
  ["echo worker 2 lags; exit 1", "other", "exit 1: worker 2 lags"],
  ["echo first; echo no database >&2; exit 2", "unwell", "exit 2: no database"],
  ["kill -SEGV $$", "unwell", "SIGSEGV"],
])("%j %s: %s", async (body, verdict, detail) => {
  expect(await probe([await script(body)])).toMatchObject({ verdict, detail, instance: "exec" });
});

test("placeholders in arguments are filled in, and no shell reads them", async () => {
  const check = await script(
    '[ "$1" = "$KEYTURN_FINGERPRINT" ] && [ "$2" = \'$(id) ; f00d\' ] && [ $# = 2 ]',
  );
  expect((await probe([check, "{fingerprint}", "$(id) ; {hash}"])).verdict).toBe("confirms");
});

test("the environment is PATH, HOME and what the key is, nothing else", async () => {
  vi.stubEnv("OPENROUTER_MANAGEMENT_KEY", "s3cret");
  const out = join(await mkdtemp(join(tmpdir(), "keyturn-")), "env");
  await probe(["/bin/sh", "-c", `exec env > ${out}`]);
  vi.unstubAllEnvs();
  const env = Object.fromEntries(
    (await readFile(out, "utf8"))
      .trim()
      .split("\n")
      .map((line) => line.split(/=(.*)/s)),
  );
  for (const name of ["PWD", "OLDPWD", "SHLVL", "_"]) delete env[name]; // the shell's own
  expect(env).toEqual({
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    KEYTURN_KEY_NAME: "payments-api",
    KEYTURN_FINGERPRINT: NEW_KEY,
    KEYTURN_HASH: "f00d",
    KEYTURN_LABEL: expected.label,
    KEYTURN_VERSION: "v2",
  });
});

test("a program that is not there, or may not be run, is silent and says so", async () => {
  expect(await probe(["/nowhere/check"])).toMatchObject({
    verdict: "silent",
    detail: "/nowhere/check cannot be run (no such file)",
  });
  const plain = await script("true", 0o644);
  expect(await probe([plain])).toMatchObject({
    verdict: "silent",
    detail: `${plain} cannot be run (not executable)`,
  });
});

test("one that does not end is killed at the timeout, with what it has started", async () => {
  const pidFile = join(await mkdtemp(join(tmpdir(), "keyturn-")), "pid");
  const check = await script(`sleep 600 & echo $! > ${pidFile}; trap '' TERM; wait; sleep 600`);
  const written = () => expect.poll(() => readFile(pidFile, "utf8").catch(() => "")).toMatch(/\d\n/);
  const clock = {
    ...systemClock,
    sleep: (ms: number) => (ms === 60_000 ? written() : systemClock.sleep(ms)),
  };
  const policy = consumer({ exec: [check], timeout: "1m" });
  const sweep = await createProbe(policy, { ...realParts(), clock }).sweep(expected);
  expect(sweep.instances).toMatchObject([{ verdict: "silent", detail: `${check} did not end within 60s` }]);
  const pid = Number(await readFile(pidFile, "utf8"));
  await expect.poll(() => isAlive(pid)).toBe(false);
});

/** A process that is dead but not yet waited for counts as gone. */
async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat !== "" && !stat.includes(") Z ");
}

test("a signal ends it", async () => {
  const controller = new AbortController();
  const started = join(await mkdtemp(join(tmpdir(), "keyturn-")), "started");
  const asked = probe([await script(`touch ${started}; sleep 600`)], { timeout: "1h" }, controller.signal);
  await expect
    .poll(() =>
      access(started).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  controller.abort();
  expect(await asked).toMatchObject({ verdict: "silent", detail: expect.stringContaining("was stopped") });
});

test("the answer is not kept waiting by a process left behind that holds its output", async () => {
  const check = await script("sleep 5 & echo done; exit 0");
  expect(await probe([check], { timeout: "1h" })).toMatchObject({ verdict: "confirms", detail: "done" });
});

test("output is bounded: the last line, cut to 200 characters, without credentials", async () => {
  const much = await script("yes 0123456789 | head -c 3000000; echo; echo the last line; exit 1");
  expect((await probe([much])).detail).toBe("exit 1: the last line");
  const long = await script('printf "%3000s" "x" | tr " " ","; exit 1');
  expect((await probe([long])).detail).toBe(`exit 1: ${",".repeat(191)}…`);
  const leak = await script("echo still sk-or-v1-0123456789abcdef; exit 1");
  expect((await probe([leak])).detail).toBe("exit 1: still [secret]");
});

test("a credential whose start was cut off is not shown", async () => {
  const check = await script('printf "sk-or-v1-%5000s" | tr " " "a"; exit 1');
  expect((await probe([check])).detail).toBe("exit 1");
});

test("a command speaks for one instance only", async () => {
  const sweep = await probe(["true"], { instances: 2 });
  expect(sweep).toMatchObject({
    verdict: "confirms",
    problem: "a command speaks for one instance, and 2 are asked for",
  });
});

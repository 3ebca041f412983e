import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { CTRL_C, DOWN, ENTER, hasTerminal, inTerminal } from "./terminal.ts";
import { CLI, currentHash, rotate, startWorld, type World } from "./world.ts";

// Without python3 there is no pseudo-terminal, and nobody to ask.
describe.runIf(hasTerminal)("rotate init on a terminal", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const file = (name: string) => join(world.sandbox.folder, name);
  const ask = (
    args: readonly string[],
    steps: readonly (readonly [string, string])[],
    env: NodeJS.ProcessEnv = {},
  ) =>
    inTerminal([process.execPath, CLI, "init", ...args], steps, {
      env: { ...world.env, ...env },
      cwd: world.sandbox.folder,
    });

  test.each([[[]], [["--no-color"]]])("asks in colours, and without them when asked to: %j", async (args) => {
    const { colored } = await ask(
      [...args, "--output", file("plain.yaml")],
      [["Who issues the key?", CTRL_C]],
      { NO_COLOR: undefined },
    );
    expect(colored).toBe(args.length === 0);
  });

  test("writes the policy of a key that is chosen from the account's, after the answers", async () => {
    const { status, output } = await ask(
      ["--output", file("asked.yaml")],
      [
        ["Who issues the key?", ENTER],
        ["Where is the management key?", ENTER],
        ["Name of the variable:", ENTER],
        ["Which key is to be rotated?", DOWN + ENTER],
        ["What is the key called in the policy?", ENTER],
        ["When is it replaced?", DOWN + DOWN + ENTER],
        ["Cron of five fields:", `0 10 * *${ENTER}`],
        ["4 fields; accepted: five", ` 2${ENTER}`],
        ["In which time zone?", `Europe/Berlin${ENTER}`],
        ["Where do the services read it?", ENTER],
        ["Folder of the files:", `\${KEYTURN_STORE}${ENTER}`],
        ["Name of the secret:", ENTER],
        ["Field in it", ENTER],
        ["A service that uses the key", `payments${ENTER}`],
        ["Health URL of payments", `${world.env.PAYMENTS_URL}/healthz${ENTER}`],
        ["Another service that uses it", ENTER],
        ["Variable with the URL of a webhook", ENTER],
      ],
    );
    expect(output).toContain("asked.yaml is written, and valid. Next:");
    expect(status).toBe(0);
    const [key] = parse(await readFile(file("asked.yaml"), "utf8")).keys;
    expect(key).toMatchObject({
      name: "payments-api",
      schedule: "0 10 * * 2",
      timezone: "Europe/Berlin",
      adopt: { hash: currentHash(world) },
      store: { use: "local", secret: "payments-api", field: "OPENROUTER_API_KEY" },
      consumers: [{ name: "payments", probe: { http: `${world.env.PAYMENTS_URL}/healthz` } }],
    });
    const plan = await rotate(world, ["plan", "--policy", file("asked.yaml"), "--take-over"]);
    expect(plan.stderr).not.toContain("invalid");
    expect((await rotate(world, ["validate", "--policy", file("asked.yaml")])).status).toBe(0);
  });

  test("leaves nothing behind when it is given up, and exits as a shell says of Ctrl-C", async () => {
    const before = await readdir(world.sandbox.folder);
    const { status, output } = await ask(
      ["--output", file("given-up.yaml")],
      [
        ["Who issues the key?", ENTER],
        ["Where is the management key?", CTRL_C],
      ],
    );
    expect(status).toBe(130);
    expect(output).toContain("rotate: canceled; nothing is written");
    expect(await readdir(world.sandbox.folder)).toEqual(before);
  });

  test("goes on without the account's keys where the provider cannot be reached", async () => {
    const { status, output } = await ask(
      ["--output", file("away.yaml"), "--provider", "openrouter"],
      [
        ["Where is the management key?", ENTER],
        ["Name of the variable:", ENTER],
        ["They are not listed: ", ""],
        ["What is the key called in the policy?", `chat${ENTER}`],
        ["When is it replaced?", ENTER],
        ["Where do the services read it?", ENTER],
        ["Folder of the files:", ENTER],
        ["Name of the secret:", ENTER],
        ["Field in it", `-${ENTER}`],
        ["A service that uses the key", ENTER],
        ["How long does everybody need", ENTER],
        ["Variable with the URL of a webhook", ENTER],
      ],
      { OPENROUTER_BASE_URL: "http://127.0.0.1:59999/api/v1" },
    );
    expect(status).toBe(0);
    expect(output).toContain("http://127.0.0.1:59999 made no connection");
    const [key] = parse(await readFile(file("away.yaml"), "utf8")).keys;
    expect(key).toMatchObject({ name: "chat", store: { secret: "chat" }, consumers: "none" });
    expect(key.store.field).toBeUndefined();
    expect(key.adopt).toBeUndefined();
  });

  test("asks nothing where the options say it all", async () => {
    const { status } = await ask(
      ["--output", file("said.yaml"), "--key", "chat", "--retire-after", "24h"],
      [],
    );
    expect(status).toBe(0);
    expect(existsSync(file("said.yaml"))).toBe(true);
  });
});

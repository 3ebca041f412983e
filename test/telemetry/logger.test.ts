import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/lib/errors.ts";
import { Secret } from "../../src/lib/secret.ts";
import { createLogger, type Logger, type LoggerOptions } from "../../src/telemetry/logger.ts";

/** What a logger of these options writes while `use` has it. */
async function written(options: Partial<LoggerOptions>, use: (logger: Logger) => void): Promise<string[]> {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  use(await createLogger({ level: "info", pretty: false, color: false, destination, ...options }));
  return lines;
}

const nested = () =>
  new RotationError("busy", "the lease is lost", {
    hint: "look at the other process",
    cause: new Error("inner fault"),
  });

describe("JSON lines", () => {
  test("a line is one JSON object with the documented fields and nothing about the process", async () => {
    const [line = ""] = await written({}, (logger) =>
      logger
        .child({ key: "payments-api", rotation: "r1" })
        .info({ phase: "staged", reason: "due", durationMs: 12 }, "staged"),
    );
    expect(line.endsWith("}\n")).toBe(true);
    expect(JSON.parse(line)).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      level: "info",
      key: "payments-api",
      rotation: "r1",
      phase: "staged",
      reason: "due",
      durationMs: 12,
      msg: "staged",
    });
  });

  test("lines below the level are not written", async () => {
    expect(await written({ level: "warn" }, (logger) => logger.info("hello"))).toEqual([]);
  });

  test("an error is shown with code, message, hint and cause, without stack", async () => {
    const [line = ""] = await written({}, (logger) => logger.error(nested(), "commit failed"));
    expect(JSON.parse(line).err).toEqual({
      type: "RotationError",
      code: "busy",
      message: "the lease is lost",
      hint: "look at the other process",
      cause: { type: "Error", message: "inner fault" },
    });
  });

  test("at debug level an error shows its stack", async () => {
    const [line = ""] = await written({ level: "debug" }, (logger) => logger.error(nested()));
    expect(JSON.parse(line).err.stack).toContain("logger.test.ts");
  });

  test("endless chains of causes and endless messages are cut off", async () => {
    const circle = new Error("x".repeat(1_000_000));
    circle.cause = circle;
    const [line = ""] = await written({}, (logger) => logger.error({ err: circle }, "hostile"));
    expect(line.length).toBeLessThan(20_000);
  });

  test("what was thrown and is no error is shown too", async () => {
    const [line = ""] = await written({}, (logger) => logger.error({ err: "just text" }, "odd"));
    expect(JSON.parse(line).err).toEqual({ type: "string", message: "just text" });
  });
});

describe("lines for a terminal", () => {
  test("a line reads time, level, key, rotation, message, then the other fields", async () => {
    const lines = await written({ pretty: true }, (logger) =>
      logger.info({ key: "payments-api", rotation: "r1", phase: "staged" }, "version written"),
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d info {2}payments-api r1 version written \{"phase":"staged"\}\n$/,
    );
  });

  test("an error is told in the same line, with its code and hint", async () => {
    const [line = ""] = await written({ pretty: true }, (logger) => logger.error(nested(), "commit failed"));
    expect(line).toMatch(/ error commit failed the lease is lost \(busy; look at the other process\)\n$/);
    const [bare = ""] = await written({ pretty: true }, (logger) => logger.error(nested()));
    expect(bare).toMatch(/ error the lease is lost \(busy; look at the other process\)\n$/);
  });

  test("colours come only when asked for", async () => {
    const say = (logger: Logger) => logger.warn("careful");
    const sequence = "\u001b[";
    expect((await written({ pretty: true }, say)).join("")).not.toContain(sequence);
    expect((await written({ pretty: true, color: true }, say)).join("")).toContain(sequence);
  });

  test("a hostile message can neither colour the terminal nor pass for a line of its own", async () => {
    const lines = await written({ pretty: true }, (logger) =>
      logger.info({ key: "a\nb" }, "x\u001b[2J\r\n10:00:00 error forged"),
    );
    expect(lines.join("")).not.toContain("\u001b");
    expect(lines.join("").trimEnd().split("\n")).toHaveLength(1);
  });
});

describe("keys", () => {
  const canary = "sk-or-v1-canary0123456789abcdef";
  const leak = (logger: Logger) => {
    logger.trace(`made ${canary}`);
    logger.info("made %s and %o", canary, { deep: canary });
    logger.info({ key: canary, [canary]: "as a name", list: [{ deep: canary }] });
    logger.warn(
      { headers: { authorization: `Bearer ${canary}` }, url: `https://u:${canary}@host/` },
      "request",
    );
    logger.error(
      new RotationError("unclear", `reply held ${canary}`, { hint: canary, cause: new Error(canary) }),
    );
    logger
      .child({ bound: canary })
      .fatal({ secret: new Secret(canary), text: `${new Secret(canary)}` }, "bound");
    logger.info({ body: JSON.stringify({ data: { key: canary } }) }, JSON.stringify(canary));
    logger.debug({ at: new URL(`https://u:${canary}@host/?key=${canary}`), in: { err: new Error(canary) } });
    logger.error({ err: new AggregateError([new Error(canary)], canary) }, "several");
    logger.debug({ own: { toJSON: () => ({ deep: [canary] }) } }, "with a form of its own");
  };

  test.each([
    ["JSON", { pretty: false }],
    ["a terminal", { pretty: true, color: true }],
  ])(
    "no plaintext key gets into lines for %s, at trace level, wherever it was put",
    async (_name, options) => {
      const lines = await written({ ...options, level: "trace" }, leak);
      expect(lines).toHaveLength(10);
      expect(lines.join("")).not.toContain("canary");
      expect(lines.join("")).toContain("[secret]");
    },
  );

  test("lines stay valid JSON when keys were taken out of them", async () => {
    for (const line of await written({ level: "trace" }, leak)) expect(() => JSON.parse(line)).not.toThrow();
  });

  test("a Secret prints as [secret], whatever its text looks like", async () => {
    const lines = await written({}, (logger) =>
      logger.info({ it: new Secret("hunter2") }, "%s %j", new Secret("hunter2"), new Secret("hunter2")),
    );
    expect(lines.join("")).not.toContain("hunter2");
    expect(JSON.parse(lines[0] ?? "").it).toBe("[secret]");
  });
});

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { prose } from "../docs/commands-reference.ts";
import { currentKey, type RotateOptions, rotate, startWorld, type World } from "./world.ts";

/** `keys[].current.hash` for each value that is not a container; what a list holds is taken together. */
function paths(value: unknown, prefix = ""): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((item) => paths(item, `${prefix}[]`)))];
  if (typeof value !== "object" || value === null) return [prefix];
  return Object.entries(value).flatMap(([name, entry]) => paths(entry, prefix ? `${prefix}.${name}` : name));
}

function documented(command: string): unknown {
  const [, text = ""] = /^```json\n([\s\S]*?)^```$/m.exec(prose().get(command) ?? "") ?? [];
  return JSON.parse(text);
}

/** The JSON that is documented is what the commands print. */
describe("the documented JSON", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const cases: [string, string[], (() => RotateOptions)?][] = [
    ["rotate once", ["--now", "payments-api"]],
    ["rotate status", ["status"]],
    ["rotate plan", ["plan"]],
    ["rotate history", ["history"]],
    ["rotate identify", ["identify"], () => ({ stdin: currentKey(world) })],
    ["rotate validate", ["validate", "--online"]],
    ["rotate sweep", ["sweep"]],
    ["rotate keys list", ["keys", "list"]],
  ];

  test.each(cases)("of %s", async (command, args, options) => {
    const { stdout } = await rotate(world, [...args, "--json"], options?.());
    const printed = paths(JSON.parse(stdout));
    expect(printed).toEqual(expect.arrayContaining(paths(documented(command))));
  });

  test("of rotate journal export", async () => {
    const output = join(world.sandbox.folder, "copy.journal");
    const { stdout } = await rotate(world, ["journal", "export", "--copy", "--output", output, "--json"]);
    expect(paths(JSON.parse(stdout))).toEqual(paths(documented("rotate journal export")));
  });
});

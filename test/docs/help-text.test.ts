import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { helpText } from "../../src/commands/help-text.ts";
import { wrapped } from "../../src/commands/wrapped.ts";
import { helpAt, helpModule } from "./help-text.ts";

const MODULE = join(import.meta.dirname, "../../src/commands/help-text.ts");

it("rotate --help prints what the commands say of themselves now (else: npm run docs)", () => {
  expect(readFileSync(MODULE, "utf8")).toBe(helpModule());
});

it("rotate --help fits into a terminal of any width as the help of each command does", () => {
  for (let columns = 0; columns <= 160; columns++)
    expect(wrapped(helpText, columns), `${columns} columns`).toBe(helpAt(columns));
});

import { describe, expect, test } from "vitest";
import type { Archive } from "../../src/journal/archive.ts";
import { archiveText, parseArchive } from "../../src/journal/archive-file.ts";
import { RotationError } from "../../src/lib/errors.ts";
import { documentWith, eventOf, noticeOf, requestOf } from "./content.ts";

const T = "cluster/payments";
const ARCHIVE: Archive = {
  id: "0123456789abcdef0123456789abcdef",
  targets: [{ target: T, epoch: 7, document: documentWith("h1") }],
  requests: [requestOf("q1", T)],
  notices: [noticeOf("n1", T)],
  events: [
    { ...eventOf("created"), seq: 1, target: T, epoch: 7 },
    { ...eventOf("promoted"), seq: 2, target: T, epoch: 7 },
  ],
};
const textOf = (archive: Archive, purpose: "move" | "copy" = "move") =>
  archiveText({ archive, purpose, exportedAt: Date.parse("2026-11-21T03:15:00Z") });
const TEXT = textOf(ARCHIVE);

function refusal(text: string): RotationError {
  try {
    parseArchive(text, "journal.jsonl");
  } catch (thrown) {
    if (thrown instanceof RotationError) return thrown;
    throw thrown;
  }
  throw new Error("it was taken");
}

describe("an exported journal as a file", () => {
  test("is read back as it was", () => {
    expect(parseArchive(TEXT, "f")).toEqual({
      archive: ARCHIVE,
      purpose: "move",
      exportedAt: Date.parse("2026-11-21T03:15:00Z"),
    });
    expect(parseArchive(textOf(ARCHIVE, "copy"), "f").purpose).toBe("copy");
  });

  test("that was cut off anywhere is refused", () => {
    for (let length = 0; length < TEXT.length; length += 1)
      expect(refusal(TEXT.slice(0, length)).code, `${length}`).toBe("unusable");
  });

  test("in which any byte was changed is refused", () => {
    for (let at = 0; at < TEXT.length; at += 1) {
      const changed = `${TEXT.slice(0, at)}${TEXT[at] === "x" ? "y" : "x"}${TEXT.slice(at + 1)}`;
      expect(["unusable", "newer-version"], `${at}`).toContain(refusal(changed).code);
    }
  });

  test("that lacks a line, has one twice, or in another order is refused", () => {
    const lines = TEXT.trimEnd().split("\n");
    for (const index of lines.keys()) {
      expect(refusal(`${lines.toSpliced(index, 1).join("\n")}\n`).code).toBe("unusable");
      expect(refusal(`${lines.toSpliced(index, 0, lines[index] ?? "").join("\n")}\n`).code).toBe("unusable");
    }
    expect(refusal(`${lines.toReversed().join("\n")}\n`).code).toBe("unusable");
  });

  test.each([
    ["nothing", ""],
    ["JSON of another kind", '{"keys":[]}\n'],
    ["a database", "SQLite format 3\0"],
    ["null", "null\n"],
  ])("is not %s", (_, text) => expect(refusal(text).message).toContain("is not an exported journal"));

  test("of a newer keyturn is told from a damaged one", () => {
    expect(refusal(TEXT.replace('"version":1', '"version":2')).code).toBe("newer-version");
  });

  test.each<[string, Partial<Archive>]>([
    [
      "a hash of two targets",
      {
        targets: [...ARCHIVE.targets, { target: "cluster/billing", epoch: 1, document: documentWith("h1") }],
      },
    ],
    ["a target twice", { targets: [...ARCHIVE.targets, { target: T, epoch: 1, document: documentWith() }] }],
    ["two events of one number", { events: [...ARCHIVE.events, ...ARCHIVE.events] }],
    ["a request twice", { requests: [...ARCHIVE.requests, ...ARCHIVE.requests] }],
    ["an id that is none", { id: "x" }],
  ])("with %s is refused, although its digest is right", (_, part) => {
    expect(["unusable", "conflict"]).toContain(refusal(textOf({ ...ARCHIVE, ...part })).code);
  });
});

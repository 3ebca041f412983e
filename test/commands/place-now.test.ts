import { expect, it } from "vitest";
import { placeNow } from "../../src/commands/place-now.ts";

const COMMANDS = ["now", "once", "status"];

it.each([
  ["--now", "now"],
  ["--now a b", "now a b"],
  ["a --now --until deleted", "now a --until deleted"],
  ["--policy once --now a", "now --policy once a"],
  ["--policy=p.yaml --now once", "now --policy=p.yaml once"],
  ["--now -- once", "now -- once"],
])("reads %j as the command now, whatever the keys are called", (typed, placed) => {
  expect(placeNow(typed.split(" "), COMMANDS)).toEqual(placed.split(" "));
});

it.each(["status", "once --now", "--log-level debug once --now", "sandbox -- rotate --now"])(
  "leaves %j alone",
  (typed) => {
    expect(placeNow(typed.split(" "), COMMANDS)).toEqual(typed.split(" "));
  },
);

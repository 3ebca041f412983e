import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { z } from "zod";
import { notificationSchema } from "../../src/notify/schema.ts";

const page = readFileSync(new URL("../../docs/notifications.md", import.meta.url), "utf8");
const bodies = [...page.matchAll(/^```json\n(.*?)^```/gms)].map(
  ([, text = ""]) => JSON.parse(text) as object,
);
const [notice, pass] = notificationSchema.options;

it("the bodies that the page shows are bodies that are posted", () => {
  expect(bodies).toHaveLength(2);
  for (const body of bodies) expect(z.safeParse(notificationSchema, body).error).toBeUndefined();
});

it("the page tells of every event, and of every field of a body", () => {
  const named = new Set(
    [...page.matchAll(/^\| ([^|]*) \|/gm)].flatMap(([, cell = ""]) => cell.match(/\w+/g) ?? []),
  );
  const events = [...notice.shape.event.options, "pass"];
  const missing = [...events, ...Object.keys(notice.shape)].filter((name) => !named.has(name));
  expect(missing).toEqual([]);
  const inPass = Object.keys(pass.shape).filter((name) => !(name in (bodies[1] ?? {})));
  expect(inPass).toEqual([]);
});

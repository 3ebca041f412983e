import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { noticeBody, passBody } from "../../src/notify/body.ts";
import { notificationJsonSchema, notificationSchema } from "../../src/notify/schema.ts";
import { slackBody } from "../../src/notify/slack.ts";
import { noticeOf } from "../journal/content.ts";
import { DAY, HOUR } from "../rotation/scenario.ts";
import { HOOK, notifiedWorld } from "./world.ts";

const SCHEMA = resolve(import.meta.dirname, "../../config/notification.schema.json");
const EVENTS = [
  "planned",
  "promoted",
  "confirmed",
  "completed",
  "reverted",
  "held",
  "failed",
  "overdue",
  "pass",
];

/** Every body that a worker posts in a rotation that goes well, one that is held and goes back, and a key that stays overdue. */
async function bodies() {
  const { world, process, posts } = await notifiedWorld({
    key: {
      notify: [{ http: HOOK, on: EVENTS }],
      confirm: { timeout: "1m" },
      retire: { watch: "1s", keepDisabledFor: "1d" },
    },
  });
  const worker = process();
  await worker.now();
  world.payments.stuck();
  await worker.now({ within: HOUR });
  await worker.ask("rollback");
  await worker.stop();
  for (const one of world.payments.instances) one.down = true;
  await world.clock.sleep(40 * DAY);
  const later = process();
  later.courier.passed(await later.once());
  await later.stop();
  const plaintexts = [world.current(), world.managementKey.reveal()];
  return { bodies: posts.map(({ body }) => body), posts, plaintexts };
}

describe("the documented body", () => {
  test("config/notification.schema.json is what the schema says (npm run schema writes it)", async () => {
    expect(await readFile(SCHEMA, "utf8")).toBe(`${JSON.stringify(notificationJsonSchema(), null, 2)}\n`);
  });

  test("is what is posted of every event, field by field, and holds no key", async () => {
    const found = await bodies();
    expect(new Set(found.bodies.map(({ event }) => event))).toEqual(
      new Set(["planned", "promoted", "confirmed", "completed", "reverted", "held", "overdue", "pass"]),
    );
    const schema = z.fromJSONSchema(JSON.parse(await readFile(SCHEMA, "utf8")));
    for (const body of found.bodies) {
      expect(schema.safeParse(body).error, JSON.stringify(body)).toBeUndefined();
      expect(schema.safeParse({ ...body, at: 0 }).success).toBe(false);
      expect(schema.safeParse({ ...body, of_a_later_version: 1 }).success).toBe(true);
      expect(notificationSchema.safeParse(body).error).toBeUndefined();
    }
    const text = JSON.stringify(found.posts);
    for (const plaintext of found.plaintexts) expect(text).not.toContain(plaintext);
    expect(text).not.toMatch(/sk-or-v1-[0-9a-f]{16}/);
  });

  test("holds no key that an error has quoted", () => {
    const canary = "sk-or-v1-canary0123456789abcdef";
    const notice = noticeOf("msg_1", "t", { message: `it said ${canary}`, hint: `revoke ${canary}` });
    expect(JSON.stringify([noticeBody(notice), slackBody(noticeBody(notice))])).not.toContain("canary");
  });

  test("of a pass counts the keys by how they came out, and is none when no key could be worked on", () => {
    const head = { id: `msg_${"0".repeat(32)}`, at: 0, installation: "test" };
    const idle = { key: "a", outcome: "idle", message: "" } as const;
    const broken = { key: "b", outcome: "failed", code: "unusable", message: "" } as const;
    const failed = { ...broken, rotation: "r1" };
    expect(passBody(head, [idle, broken])).toMatchObject({ keys: 2, outcomes: { idle: 1, failed: 1 } });
    expect(passBody(head, [broken, broken])).toBeUndefined();
    expect(passBody(head, [failed])).toMatchObject({ outcomes: { failed: 1 } });
    expect(passBody(head, [])).toMatchObject({ keys: 0, outcomes: {} });
  });
});

describe("the Slack message", () => {
  test("says what happened, what it waits for, and what to type", () => {
    const body = noticeBody(
      noticeOf("msg_1", "t", {
        rotation: "9f1c",
        message: "waited 1h for billing: 10.0.0.8 uses the old key",
        hint: "mend the consumer and it goes on by itself; or `rotate approve payments-api --without CONSUMER`",
      }),
    );
    expect(slackBody(body)).toMatchInlineSnapshot(`
      {
        "blocks": [
          {
            "text": {
              "text": ":raised_hand: *payments-api*: the rotation is held and waits for a person
      waited 1h for billing: 10.0.0.8 uses the old key
      *What to do:* mend the consumer and it goes on by itself; or \`rotate approve payments-api --without CONSUMER\`",
              "type": "mrkdwn",
            },
            "type": "section",
          },
          {
            "elements": [
              {
                "text": "default · openrouter · rotation 9f1c · <!date^1795230900^{date_short_pretty} {time}|2026-11-21T03:15:00.000Z>",
                "type": "mrkdwn",
              },
            ],
            "type": "context",
          },
        ],
        "text": ":raised_hand: *payments-api*: the rotation is held and waits for a person: waited 1h for billing: 10.0.0.8 uses the old key",
      }
    `);
  });

  test("lets nobody's text call a channel together or hide a link", () => {
    const body = noticeBody(
      noticeOf("msg_1", "t", {
        actor: "<@U1>",
        message: "<!channel> & <https://evil.test|click>",
        hint: "<!here>",
        installation: "<!everyone>",
      }),
    );
    const text = JSON.stringify(slackBody(body));
    expect(text).not.toMatch(/<(?!!date\^)/);
    expect(text).toContain("&lt;!channel&gt; &amp; &lt;https://evil.test|click&gt;");
  });

  test("says of a first key that it is one, and of any other that it replaced one", () => {
    const said = (kind: "provision" | "rotate") =>
      slackBody(noticeBody(noticeOf("msg_1", "t", { event: "completed", kind }))).text;
    expect(said("provision")).toContain("*: has its first key: ");
    expect(said("rotate")).toContain("*: rotated: ");
  });

  test("is never longer than Slack takes", () => {
    const body = noticeBody(noticeOf("msg_1", "t", { message: "<".repeat(2_000), hint: "&".repeat(2_000) }));
    for (const { text } of slackBody(body).blocks as { text?: { text: string } }[])
      expect((text?.text ?? "").length).toBeLessThanOrEqual(3_000);
  });
});

import { z } from "zod";
import { notifyEvent } from "../policy/schema.ts";

/** The body of a notification, as it is documented: config/notification.schema.json comes from here. */

const text = z.string();
const instant = z.iso.datetime().describe("ISO 8601, UTC.");

const envelope = {
  version: z.literal(1).describe("Of this body. Fields may be added to it; none is taken away."),
  id: text
    .regex(/^msg_[0-9a-f]{32}$/)
    .describe("The same however often it is sent; also the header webhook-id. Take it once."),
  at: instant.describe("When it happened."),
  installation: text.describe("Name of the deployment of keyturn, from its policy."),
};

const noticeSchema = z.strictObject({
  ...envelope,
  event: notifyEvent.exclude(["pass"]),
  key: text.describe("Name of the key in the policy."),
  provider: text.describe("Name of the provider in the policy."),
  rotation: text.describe("Id of the rotation; left out for overdue.").optional(),
  kind: z.enum(["provision", "rotate", "revoke", "rollback"]).describe("Of the rotation.").optional(),
  phase: z
    .enum([
      "planned",
      "staged",
      "verified",
      "promoted",
      "confirmed",
      "disabled",
      "completed",
      "reverting",
      "reverted",
      "failed",
      "superseded",
    ])
    .describe("Of the rotation at that time.")
    .optional(),
  actor: text.describe("Who began the rotation: schedule, or user@host."),
  reason: text.describe("Reason code, as in `rotate history`."),
  message: text.describe("One sentence for people."),
  hint: text.describe("What a person can do about it.").optional(),
  startedAt: instant.describe("When the rotation began.").optional(),
  oldHash: text.describe("The provider's hash of the key that is replaced.").optional(),
  newHash: text.describe("The provider's hash of the replacement.").optional(),
  deleteAt: instant.describe("completed: when the old key is deleted at the earliest.").optional(),
  retryAt: instant.describe("failed, reverted: when it is tried again.").optional(),
  dueAt: instant.describe("overdue: since when it is due.").optional(),
  omitted: z
    .int()
    .min(1)
    .describe("So many earlier notifications of this secret were dropped: too many waited to be taken.")
    .optional(),
});

const passSchema = z.strictObject({
  ...envelope,
  event: z.literal("pass"),
  keys: z.int().min(0).describe("How many keys the pass went over."),
  outcomes: z
    .partialRecord(
      z.enum([
        "idle",
        "completed",
        "deleted",
        "reverted",
        "failed",
        "held",
        "blocked",
        "waiting",
        "superseded",
      ]),
      z.int().min(0),
    )
    .describe("How many keys came out of the pass in each way."),
});

export const notificationSchema = z.union([noticeSchema, passSchema]);
export type NoticeBody = z.output<typeof noticeSchema>;
export type PassBody = z.output<typeof passSchema>;
export type NotificationBody = NoticeBody | PassBody;

/** config/notification.schema.json. Receivers are to take fields that it does not have yet. */
export function notificationJsonSchema(): Record<string, unknown> {
  const { $schema, anyOf = [] } = z.toJSONSchema(notificationSchema, { target: "draft-7" });
  const open = anyOf.map(({ additionalProperties: _, ...schema }) => schema);
  return { $schema, title: "keyturn notification", anyOf: open };
}

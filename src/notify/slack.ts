import type { NoticeBody, NotificationBody, PassBody } from "./schema.ts";

/** What an incoming webhook of Slack takes. */
export interface SlackBody {
  /** For notifications on a lock screen, and clients without blocks. */
  text: string;
  blocks: object[];
}

const SIGNS: Record<NotificationBody["event"], string> = {
  planned: ":calendar:",
  promoted: ":key:",
  confirmed: ":ballot_box_with_check:",
  completed: ":white_check_mark:",
  reverted: ":leftwards_arrow_with_hook:",
  held: ":raised_hand:",
  failed: ":x:",
  overdue: ":hourglass:",
  pass: ":heartbeat:",
};

const SAYS: Record<NoticeBody["event"], string> = {
  planned: "a rotation begins",
  promoted: "the new key is current",
  confirmed: "every consumer uses the new key",
  completed: "rotated",
  reverted: "the rotation was reverted",
  held: "the rotation is held and waits for a person",
  failed: "the rotation failed",
  overdue: "overdue",
};

/** A section holds 3,000 characters. */
const LONGEST_SECTION = 2_900;

/** What happened, what it waits for, and what to type. */
export function slackBody(body: NotificationBody): SlackBody {
  return body.event === "pass" ? passMessage(body) : noticeMessage(body);
}

function noticeMessage(body: NoticeBody): SlackBody {
  const { event, kind, key, installation, message, hint } = body;
  const says = event === "completed" && kind === "provision" ? "has its first key" : SAYS[event];
  const headline = `${SIGNS[event]} *${escaped(key)}*: ${says}`;
  const lines = [headline, escaped(message), ...(hint ? [`*What to do:* ${escaped(hint)}`] : [])];
  const facts = [
    escaped(installation),
    escaped(body.provider),
    ...(body.rotation ? [`rotation ${escaped(body.rotation)}`] : []),
    ...(body.actor === "schedule" ? [] : [`by ${escaped(body.actor)}`]),
    ...(body.deleteAt ? [`the old key is deleted ${when(body.deleteAt)}`] : []),
    ...(body.retryAt ? [`tried again ${when(body.retryAt)}`] : []),
    ...(body.omitted ? [`${body.omitted} earlier messages were dropped`] : []),
    when(body.at),
  ];
  return {
    text: cut(`${headline}: ${escaped(message)}`),
    blocks: [section(lines.join("\n")), context(facts)],
  };
}

function passMessage({ installation, keys, outcomes, at }: PassBody): SlackBody {
  const counts = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  const text = `${SIGNS.pass} a pass over ${keys} ${keys === 1 ? "key" : "keys"}: ${counts.join(", ")}`;
  return { text, blocks: [section(text), context([escaped(installation), when(at)])] };
}

function section(text: string): object {
  return { type: "section", text: { type: "mrkdwn", text: cut(text) } };
}

/** Facts are escaped already, where they are no markup of ours. */
function context(facts: readonly string[]): object {
  return { type: "context", elements: [{ type: "mrkdwn", text: cut(facts.join(" · ")) }] };
}

/** Slack shows the instant in each reader's own time. */
function when(iso: string): string {
  const seconds = Math.floor(Date.parse(iso) / 1_000);
  return `<!date^${seconds}^{date_short_pretty} {time}|${iso}>`;
}

/** What mrkdwn takes for markup: a name must not call a channel together. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function cut(text: string): string {
  return text.length <= LONGEST_SECTION ? text : `${text.slice(0, LONGEST_SECTION)}…`;
}

import type { NoticeRecord } from "../../src/journal/document.ts";
import type { Journal } from "../../src/journal/journal.ts";
import { RotationError } from "../../src/lib/errors.ts";
import type { HttpRequest, HttpResponse } from "../../src/lib/http.ts";
import { Secret } from "../../src/lib/secret.ts";
import { Courier, type CourierParts } from "../../src/notify/courier.ts";
import type { NotificationBody } from "../../src/notify/schema.ts";
import { type ProcessOptions, type Scenario, type ScenarioOptions, scenario } from "../rotation/scenario.ts";

export const HOOK = "https://hooks.test/keyturn";
export const OTHER_HOOK = "https://other.test/keyturn";

export interface Post {
  at: number;
  url: string;
  headers: HttpRequest["headers"];
  body: NotificationBody;
}

/** What a receiver answers: a status, headers beside it, or an error in place of an answer. */
export type Answer =
  | number
  | { status: number; headers?: Record<string, string>; body?: string }
  | RotationError;

/** A rotation's world with receivers of notifications; every process of it has a courier. */
export async function notifiedWorld(options: ScenarioOptions = {}) {
  const world = await scenario(options);
  const posts: Post[] = [];
  const outcomes: string[] = [];
  const receivers = {
    posts,
    outcomes,
    /** By host; 204 where there is none. */
    answers: new Map<string, (post: Post) => Answer>(),
    /** How long an answer takes, in milliseconds. */
    latency: 100,
    /** What a URL has taken. */
    events: (url = HOOK) => posts.filter((post) => post.url === url).map(({ body }) => body.event),
  };

  const send = async (request: HttpRequest): Promise<HttpResponse> => {
    await world.clock.sleep(receivers.latency, request.signal);
    if (request.signal?.aborted) throw new RotationError("unclear", "stopped before its answer came");
    const { url, headers } = request;
    const post = { at: world.clock.now(), url, headers, body: JSON.parse(request.body ?? "") };
    const answer = receivers.answers.get(new URL(url).host)?.(post) ?? 204;
    if (answer instanceof RotationError) throw answer;
    const {
      status,
      headers: more = {},
      body = "",
    } = typeof answer === "number" ? { status: answer } : answer;
    if (status < 300) posts.push(post);
    return { status, headers: more, body };
  };

  /** A process with its courier. `stop` is what a command does at its end. */
  function process(more: ProcessOptions & { courier?: Partial<CourierParts> } = {}) {
    const { courier: parts, ...rest } = more;
    const made = world.process({ ...rest, onNotices: () => courier.ring() });
    const courier: Courier = new Courier({
      journal: made.journal,
      policy: () => world.policy,
      send,
      sendDirect: send,
      readSecret: async () => new Secret(HOOK),
      readFile: async () => "",
      clock: world.clock,
      random: world.random,
      log: (level, fields, message) => world.logged.push(JSON.stringify({ level, ...fields, message })),
      onNotified: (channel, outcome) => outcomes.push(`${channel} ${outcome}`),
      ...parts,
    });
    return Object.assign(made, { courier, stop: (within = 5_000) => courier.stop(within) });
  }
  return { ...receivers, world, process, logged: (level: string) => linesOf(world, level) };
}

function linesOf(world: Scenario, level: string): string[] {
  return world.logged
    .map((line) => JSON.parse(line) as { level: string; message: string })
    .filter((line) => line.level === level)
    .map(({ message }) => message);
}

/** What waits in a journal, as `event`. */
export async function waiting(journal: Pick<Journal, "notices">): Promise<string[]> {
  return (await journal.notices()).map(({ event }: NoticeRecord) => event);
}

import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, test } from "vitest";
import { directSend } from "../../src/lib/http-direct.ts";
import { fetchSend } from "../../src/lib/http-fetch.ts";
import { Secret } from "../../src/lib/secret.ts";
import type { SecretSource } from "../../src/lib/secret-source.ts";
import { noticeBody } from "../../src/notify/body.ts";
import { type Attempt, deliver } from "../../src/notify/deliver.ts";
import { destinationsOf } from "../../src/notify/destination.ts";
import { keySchema, type NotifyPolicy } from "../../src/policy/schema.ts";
import { noticeOf } from "../journal/content.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

interface Received {
  method: string | undefined;
  headers: IncomingMessage["headers"];
  body: string;
}

/** A receiver on loopback: what came, and what it answers. */
async function receiver(answer: RequestListener = (_, response) => response.writeHead(204).end()) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    received.push({ method: request.method, headers: request.headers, body: await text(request) });
    answer(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

const NOTICE = noticeBody(noticeOf("msg_0123456789abcdef0123456789abcdef", "local/payments"));
const SECRETS: Record<string, string> = {
  SIGNING: `whsec_${Buffer.from("thirty-two bytes of a signature!").toString("base64")}`,
  BARE: Buffer.from("another key of thirty-two bytes!").toString("base64"),
  WORDS: "correct horse battery staple",
  TOKEN: "token-of-the-receiver",
};

async function sent(entry: unknown, secrets: Record<string, string> = {}): Promise<Attempt> {
  const [notify] = keySchema.shape.notify.parse([entry]) as NotifyPolicy[];
  const [destination] = destinationsOf([{ notify: [notify as NotifyPolicy] }], "held");
  if (destination === undefined) throw new Error("no destination");
  const known = { ...SECRETS, ...secrets };
  const readSecret = async (source: SecretSource) =>
    new Secret("env" in source ? (known[source.env] ?? "") : "");
  const parts = {
    send: fetchSend(),
    sendDirect: directSend(),
    readSecret,
    readFile: async () => "",
    now: Date.now,
  };
  return await deliver(destination, NOTICE, parts, new AbortController().signal);
}

describe("a notification", () => {
  test("is posted as JSON, with what the policy adds", async () => {
    const { url, received } = await receiver();
    const http = { url, headers: { "X-Team": "payments" }, auth: { bearer: { env: "TOKEN" } } };
    expect(await sent({ http })).toEqual({ channel: "webhook", place: new URL(url).host });
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": "keyturn",
        "webhook-id": NOTICE.id,
        "x-team": "payments",
        authorization: "Bearer token-of-the-receiver",
      },
    });
    expect(JSON.parse(received[0]?.body ?? "")).toEqual(NOTICE);
  });

  test.each([
    ["whsec_ before its secret", { secret: { env: "SIGNING" } }],
    ["its secret bare", { secret: { env: "BARE" } }],
    ["a Slack-shaped body", { secret: { env: "SIGNING" }, format: "slack" }],
  ])("is signed as Standard Webhooks has it, with %s", async (_, more) => {
    const { url, received } = await receiver();
    await sent({ http: url, ...more });
    const { headers, body } = received[0] as Received;
    const key = SECRETS[(more.secret as { env: string }).env] as string;
    expect(new Webhook(key).verify(body, headers as Record<string, string>)).toEqual(JSON.parse(body));
    expect(() => new Webhook(key).verify(`${body} `, headers as Record<string, string>)).toThrow();
  });

  test("is signed with both of two secrets, so that neither side must change at the same time", async () => {
    const { url, received } = await receiver();
    await sent({ http: url, secret: { env: "BOTH" } }, { BOTH: `${SECRETS.SIGNING}\n${SECRETS.BARE}` });
    const { headers, body } = received[0] as Received;
    for (const key of [SECRETS.SIGNING, SECRETS.BARE])
      new Webhook(key as string).verify(body, headers as Record<string, string>);
  });

  test("with a secret that cannot sign is not sent unsigned", async () => {
    const { url, received } = await receiver();
    const { error } = await sent({ http: url, secret: { env: "WORDS" } });
    expect(error).toMatchObject({ code: "unusable", hint: expect.stringContaining("openssl rand") });
    expect(received).toEqual([]);
    expect(`${error?.message} ${error?.hint}`).not.toContain("horse");
  });

  test("is never carried on to where a redirect leads", async () => {
    const other = await receiver();
    const { url, received } = await receiver((_, response) =>
      response.writeHead(307, { location: other.url }).end(),
    );
    const { error } = await sent({ http: url, secret: { env: "SIGNING" } });
    expect(error).toMatchObject({ code: "rejected", status: 307, hint: expect.stringContaining("redirect") });
    expect([received.length, other.received.length]).toEqual([1, 0]);
  });

  test.each([
    [400, "rejected"],
    [401, "unauthorized"],
    [404, "absent"],
    [408, "unclear"],
    [425, "unclear"],
    [429, "throttled"],
    [503, "unclear"],
  ])("that is answered with %i has not arrived: %s", async (status, code) => {
    const { url } = await receiver((_, response) =>
      response.writeHead(status, { "retry-after": "7" }).end("in words"),
    );
    const { error } = await sent({ http: url });
    expect(error).toMatchObject({ code, status, retryAfterMs: 7_000 });
    expect(error?.message).toMatch(/^127\.0\.0\.1:\d+ answered HTTP \d+: in words$/);
  });

  test("goes as a Slack message to Slack alone, unless the policy says so", async () => {
    const { url, received } = await receiver();
    expect((await sent({ http: url, format: "slack" })).channel).toBe("slack");
    expect(JSON.parse(received[0]?.body ?? "")).toMatchObject({
      text: expect.any(String),
      blocks: expect.any(Array),
    });
    const posted: string[] = [];
    for (const url of [
      "https://hooks.slack.com/services/T/B/x",
      "https://hooks.slack-gov.com/x",
      "https://slack.test/x",
    ]) {
      const [destination] = destinationsOf([{ notify: [{ http: { urls: [{ env: "URL" }] } }] }], "held");
      const send = async ({ body }: { body?: string }) => {
        posted.push("blocks" in JSON.parse(body ?? "") ? "slack" : "json");
        return { status: 200, headers: {}, body: "ok" };
      };
      const parts = {
        send,
        sendDirect: send,
        readSecret: async () => new Secret(url),
        readFile: async () => "",
        now: Date.now,
      };
      if (destination) await deliver(destination, NOTICE, parts, new AbortController().signal);
    }
    expect(posted).toEqual(["slack", "slack", "json"]);
  });

  test("shows no credential that its receiver repeats", async () => {
    const { url } = await receiver(({ headers }, response) =>
      response.writeHead(403).end(`who is ${headers["x-token"]}, ${headers.authorization?.slice(7)}?`),
    );
    for (const way of [
      { headers: { "X-Token": { env: "TOKEN" } } },
      { auth: { bearer: { env: "TOKEN" } } },
    ]) {
      const { error } = await sent({ http: { url, ...way } });
      expect(error?.message).toContain("who is");
      expect(error?.message).not.toContain("receiver");
    }
  });

  test("counts as not arrived when the answer has no end, and no more of it is read than a megabyte", async () => {
    const megabyte = Buffer.alloc(1024 * 1024, "x");
    const { url } = await receiver((_, response) => {
      const more = () => {
        while (response.write(megabyte));
      };
      response.on("drain", more);
      more();
    });
    expect((await sent({ http: url })).error).toMatchObject({ code: "malformed" });
  });

  test.each([
    ["answers with its own address", (url: string) => ({ status: 500, body: `no such hook: ${url}` })],
    ["answers with a piece of it", (url: string) => ({ status: 404, body: url.slice(-24) })],
  ])("gives no secret URL away when its receiver %s", async (_, answer) => {
    const canary = "/services/T0CANARY/B0CANARY/canarycanarycanary";
    const { url } = await receiver((request, response) => {
      const { status, body } = answer(`http://${request.headers.host}${canary}`);
      response.writeHead(status).end(body);
    });
    const attempt = await sent({ http: { url: { env: "URL" } } }, { URL: `${url}${canary}` });
    expect(attempt.error).toBeDefined();
    expect(JSON.stringify([attempt.place, attempt.error?.message, attempt.error?.hint])).not.toMatch(
      /canary/i,
    );
    const unreachable = await sent({ http: { url: { env: "URL" } } }, { URL: `http://127.0.0.1:1${canary}` });
    expect(JSON.stringify([unreachable.place, unreachable.error?.message])).not.toMatch(/canary/i);
    const wrong = await sent({ http: { url: { env: "URL" } } }, { URL: `ftp:/${canary}` });
    expect(wrong.error).toMatchObject({
      code: "unusable",
      message: "the URL in URL is not an http:// or https:// URL",
    });
  });
});

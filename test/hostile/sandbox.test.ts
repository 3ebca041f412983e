import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { Faults } from "../../src/sandbox/faults.ts";
import { PROVIDER_KINDS } from "../../src/sandbox/provider-kinds.ts";
import { type Served, serve } from "../../src/sandbox/serve.ts";
import { arouter } from "../providers/arouter.ts";
import { openRouter } from "../providers/open-router.ts";
import { expectWithout, runs, soup } from "./generators.ts";

const KINDS = Object.keys(PROVIDER_KINDS) as (keyof typeof PROVIDER_KINDS)[];

describe.each(KINDS)("the sandbox's %s", (name) => {
  let served: Served;
  let managementKey: string;
  beforeAll(async () => {
    const kind = PROVIDER_KINDS[name];
    const model = kind.model({ clock: systemClock, random: systemRandom });
    managementKey = model.addManagementKey().reveal();
    served = await serve(kind.api(model, new Faults([]), []));
  });
  afterAll(() => served.close());

  /** Writes the parts one after another, and gives all that comes back until the other side closes or has no more to say. */
  function talk(parts: readonly (string | Buffer)[]): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(served.port, "127.0.0.1");
      let heard = "";
      socket.setEncoding("latin1").on("data", (chunk) => {
        heard += chunk;
      });
      socket.on("error", () => {}).on("close", () => resolve(heard));
      const next = (at: number) => {
        const part = parts[at];
        if (socket.destroyed) return;
        if (part === undefined) socket.end();
        else socket.write(part, () => setImmediate(next, at + 1));
      };
      socket.once("connect", () => next(0));
    });
  }

  /** Whether an ordinary client still gets what it asks for. */
  async function isUsable(): Promise<void> {
    const make = name === "arouter" ? arouter : openRouter;
    const provider = make(managementKey, { baseUrl: `${served.url}/api/v1` });
    expect(await provider.list()).toEqual(expect.any(Array));
  }

  test("answers or closes whatever is sent to it, and stays usable", async () => {
    const piece = soup(
      [
        "GET ",
        "POST ",
        "DELETE ",
        "/api/v1/keys",
        "/api/v1/key",
        "http://[",
        "//",
        "*",
        "?offset=-1",
        "%",
        "%00",
        " HTTP/1.1",
        " HTTP/9.9",
        "\r\n",
        "\r\n\r\n",
        "host: a\r\n",
        "host: ][\r\n",
        "content-length: 5\r\n",
        "content-length: -1\r\n",
        "transfer-encoding: chunked\r\n",
        "expect: 100-continue\r\n",
        "upgrade: h2c\r\nconnection: upgrade\r\n",
        "authorization: Bearer x\r\n",
        "{}",
        "0\r\n\r\n",
        "\u0000",
      ],
      10,
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 4 }), async (parts) => {
        const heard = await talk(parts);
        expect(heard === "" || heard.startsWith("HTTP/1.1 ")).toBe(true);
        expectWithout([managementKey], heard);
      }),
      runs(40),
    );
    await isUsable();
  });

  test("answers a request of its API with any method, path, query and body as its API does", async () => {
    const path = soup(
      [
        "/api/v1",
        "/keys",
        "/key",
        "/",
        "..",
        "%2e%2e",
        "__proto__",
        "constructor",
        "?",
        "offset=",
        "-1",
        "9".repeat(30),
        "&",
        "=",
        "workspace_id=",
        "page_size=0",
        "%ff",
        "é",
      ],
      6,
    );
    const body = soup(
      ['{"name":', '"a"', "}", "[", '"limit":', "1e999", "null", ",", '"__proto__":{}', "\u0000"],
      6,
    );
    const method = fc.constantFrom(
      "GET",
      "POST",
      "PATCH",
      "DELETE",
      "PUT",
      "OPTIONS",
      "HEAD",
      "QUERY",
      "PROPFIND",
    );
    await fc.assert(
      fc.asyncProperty(method, path, body, fc.boolean(), async (verb, where, text, knows) => {
        const headers = { authorization: knows ? `Bearer ${managementKey}` : "Bearer nobody" };
        const sent = ["GET", "HEAD"].includes(verb) ? undefined : text;
        const response = await fetch(`${served.url}/api/v1/${where.replace(/#/g, "")}`, {
          method: verb,
          headers,
          body: sent,
        }).catch(() => undefined);
        if (!response) return;
        expect(response.status).toBeGreaterThanOrEqual(200);
        expect(response.status).toBeLessThan(500);
        expectWithout([managementKey], await response.text());
      }),
      runs(60),
    );
    await isUsable();
  });

  const line = "HTTP/1.1\r\nhost: a\r\n";
  const manners: Record<string, (string | Buffer)[]> = {
    "headers of a mebibyte": [`GET /api/v1/keys ${line}x: ${"y".repeat(1_048_576)}\r\n\r\n`],
    "ten thousand headers": [`GET /api/v1/keys ${line}${"x: y\r\n".repeat(10_000)}\r\n`],
    "a path of a mebibyte": [`GET /${"a".repeat(1_048_576)} ${line}\r\n`],
    "a request byte by byte": [...`GET /api/v1/key ${line}connection: close\r\n\r\n`],
    "two hundred requests at once": [`GET /api/v1/key ${line}\r\n`.repeat(200)],
    "a body longer than it says": [`POST /api/v1/keys ${line}content-length: 2\r\n\r\n{}{}{}`],
    "a body that stops": [`POST /api/v1/keys ${line}content-length: 200\r\n\r\n{`],
    "a body of eight mebibytes": [
      `POST /api/v1/keys ${line}content-length: 8388608\r\n\r\n`,
      ...Array<Buffer>(8).fill(Buffer.alloc(1_048_576, "x")),
    ],
    "a TLS greeting": [Buffer.from("16030100a5010000a10303", "hex"), Buffer.alloc(160)],
    "a tunnel": [`CONNECT a:443 ${line}\r\n`],
    trace: [`TRACE / ${line}\r\n`],
    "a get with a body": [`GET /api/v1/keys ${line}content-length: 2\r\n\r\n{}`],
    "two lengths": [`POST /api/v1/keys ${line}content-length: 2\r\ncontent-length: 3\r\n\r\n{}x`],
    "a length and chunks": [
      `POST /api/v1/keys ${line}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    "a host that is none": ["GET / HTTP/1.1\r\nhost: ][\r\n\r\n"],
    "no host": ["GET / HTTP/1.1\r\n\r\n"],
    "the asterisk": [`OPTIONS * ${line}\r\n`],
    nothing: [],
  };
  test.each(Object.entries(manners))("answers or closes upon %s, and stays usable", async (_what, parts) => {
    const heard = await talk(parts);
    expect(heard === "" || heard.startsWith("HTTP/1.1 ")).toBe(true);
    expectWithout([managementKey], heard);
    await isUsable();
  });

  test("serves others while a hundred connections say nothing", async () => {
    const sockets = await Promise.all(
      Array.from(
        { length: 100 },
        () =>
          new Promise<ReturnType<typeof connect>>((resolve) => {
            const socket = connect(served.port, "127.0.0.1", () => resolve(socket)).on("error", () => {});
          }),
      ),
    );
    for (const socket of sockets) socket.write("GET /api/v1/keys HTT");
    await isUsable();
    for (const socket of sockets) socket.destroy();
  });
});

import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { createProbe } from "../../src/probes/create-probe.ts";
import { confirms } from "../../src/probes/probe.ts";
import {
  authority,
  certificate,
  consumer,
  contract,
  deadPort,
  expected,
  NEW_KEY,
  OLD_KEY,
  realParts,
  saying,
  serve,
  serveRaw,
  serveTls,
} from "./support.ts";

const probe = (policy: object, parts = realParts()) => createProbe(consumer(policy), parts).sweep(expected);

test("a URL alone is asked by the contract, and its instance is known by address and name", async () => {
  const port = await saying(contract(NEW_KEY, { instance: "p-1" }));
  const sweep = await probe({ http: `http://127.0.0.1:${port}/healthz` });
  expect(sweep).toEqual({
    consumer: "payments",
    instances: [
      {
        instance: `127.0.0.1:${port}/healthz (p-1)`,
        verdict: "confirms",
        detail: `serves ${NEW_KEY.slice(0, 19)}…`,
        serving: NEW_KEY,
      },
    ],
  });
  expect(confirms(sweep)).toBe(true);
});

test("each URL of a list is an instance; one that serves the old key keeps the sweep from confirming", async () => {
  const [a, b] = [await saying(contract(NEW_KEY)), await saying(contract(OLD_KEY))];
  const sweep = await probe({ http: [`http://127.0.0.1:${a}/`, `http://127.0.0.1:${b}/`], instances: 2 });
  expect(sweep.instances.map(({ verdict }) => verdict).sort()).toEqual(["confirms", "other"]);
  expect(sweep.problem).toBeUndefined();
  expect(confirms(sweep)).toBe(false);
});

test("the same URL twice is one instance", async () => {
  const url = `http://127.0.0.1:${await saying(contract(NEW_KEY))}/`;
  const sweep = await probe({ http: [url, url], instances: 2 });
  expect(confirms(sweep)).toBe(false);
});

test("URLs that differ in their query only are two instances, and the query is not shown", async () => {
  const port = await saying(contract(NEW_KEY));
  const sweep = await probe({
    http: [`http://127.0.0.1:${port}/?token=a`, `http://127.0.0.1:${port}/?token=b`],
  });
  expect(sweep.instances.map(({ instance }) => instance)).toEqual([
    `127.0.0.1:${port}`,
    `127.0.0.1:${port}#2`,
  ]);
});

test("resolve: all asks every address behind the name, Host kept", async () => {
  const hosts: string[] = [];
  const answer =
    (key: string) =>
    (request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse) => {
      hosts.push(request.headers.host ?? "");
      response.end(contract(key));
    };
  const port = await serve(answer(NEW_KEY), "127.0.0.1");
  await serve(answer(OLD_KEY), "127.0.0.2", port);
  await serve(answer(NEW_KEY), "127.0.0.3", port);
  const names = { "payments-headless": ["127.0.0.3", "127.0.0.1", "127.0.0.2", "127.0.0.1"] };
  const sweep = await probe(
    { http: `http://payments-headless:${port}/healthz`, resolve: "all" },
    realParts(names),
  );
  expect(sweep.instances.map(({ instance, verdict }) => [instance, verdict])).toEqual([
    [`127.0.0.1:${port}/healthz`, "confirms"],
    [`127.0.0.2:${port}/healthz`, "other"],
    [`127.0.0.3:${port}/healthz`, "confirms"],
  ]);
  expect(new Set(hosts)).toEqual(new Set([`payments-headless:${port}`]));
});

test("an address behind the name that does not answer is a silent instance", async () => {
  const port = await saying(contract(NEW_KEY));
  const names = { "payments-headless": ["127.0.0.1", "127.0.0.2"] };
  const sweep = await probe({ http: `http://payments-headless:${port}/`, resolve: "all" }, realParts(names));
  expect(sweep.instances.map(({ verdict }) => verdict)).toEqual(["confirms", "silent"]);
});

test("a name that does not resolve, or to nothing, is a problem and never a confirmation", async () => {
  for (const [names, why] of [
    [{}, "payments-headless cannot be resolved (ENOTFOUND)"],
    [{ "payments-headless": [] }, "payments-headless has no address"],
  ] as const) {
    const sweep = await probe(
      { http: "http://payments-headless:8080/", resolve: "all" },
      realParts(names as never),
    );
    expect(sweep).toMatchObject({ instances: [], problem: why });
    expect(confirms(sweep)).toBe(false);
  }
});

test("a resolver that never answers is given up at the probe's timeout", async () => {
  const parts = { ...realParts(), lookup: () => new Promise<never>(() => {}) };
  const sweep = await probe(
    { http: "http://payments-headless:8080/", resolve: "all", timeout: "50ms" },
    parts,
  );
  expect(sweep.problem).toBe("payments-headless was not resolved in time");
});

test("fewer instances than required are a problem", async () => {
  const port = await saying(contract(NEW_KEY));
  const policy = { http: `http://payments-headless:${port}/`, resolve: "all", instances: 2 };
  const sweep = await probe(policy, realParts({ "payments-headless": ["127.0.0.1"] }));
  expect(sweep).toMatchObject({ instances: [{ verdict: "confirms" }], problem: "1 of 2 instances found" });
});

/** A load balancer before instances that take turns. */
async function balancer(...answers: string[]): Promise<string> {
  let turn = 0;
  return `http://127.0.0.1:${await serve((_, response) => response.end(answers[turn++ % answers.length]))}/`;
}

test("one load-balanced URL is asked until its instances are found by the names they give", async () => {
  const url = await balancer(contract(NEW_KEY, { instance: "a" }), contract(NEW_KEY, { instance: "b" }));
  const sweep = await probe({ http: url, instances: 2 });
  expect(sweep.instances.map(({ instance }) => instance)).toEqual(["a", "b"]);
  expect(confirms(sweep)).toBe(true);
  expect((await probe({ http: url, instances: 3 })).problem).toBe("2 of 3 instances found in 12 answers");
});

test("behind one URL the worst answer of an instance counts", async () => {
  const url = await balancer(
    contract(NEW_KEY, { instance: "a" }),
    contract(OLD_KEY, { instance: "b" }),
    contract(NEW_KEY, { instance: "b" }),
  );
  const sweep = await probe({ http: url, instances: 2 });
  expect(sweep.instances.map(({ instance, verdict }) => [instance, verdict])).toEqual([
    ["a", "confirms"],
    ["b", "other"],
  ]);
});

test("behind one URL, answers without a name cannot be told apart", async () => {
  const sweep = await probe({ http: await balancer(contract(NEW_KEY)), instances: 2 });
  expect(sweep.problem).toContain("name no instance");
  expect(confirms(sweep)).toBe(false);
});

test("a status that is trusted confirms by the status alone", async () => {
  const http = `http://127.0.0.1:${await saying("fine")}/`;
  expect(confirms(await probe({ http, trustStatus: true }))).toBe(true);
  expect(confirms(await probe({ http, evidence: "usage" }))).toBe(true);
  expect(
    confirms(await probe({ http: `http://127.0.0.1:${await saying("", 500)}/`, trustStatus: true })),
  ).toBe(false);
});

test("a status that nobody trusts does not confirm", async () => {
  const http = `http://127.0.0.1:${await saying("fine")}/`;
  expect((await probe({ http, expect: { status: 200 } })).instances[0]).toMatchObject({
    verdict: "unwell",
    detail: "the probe cannot tell the new key from the old one",
  });
});

test("trustStatus does not soften an expectation that tells the keys apart", async () => {
  const http = `http://127.0.0.1:${await saying(JSON.stringify({ key: OLD_KEY }))}/`;
  const sweep = await probe({ http, trustStatus: true, expect: { json: { "/key": "{fingerprint}" } } });
  expect(sweep.instances[0]?.verdict).toBe("other");
});

test("method, headers, secrets, body and auth reach the consumer", async () => {
  const seen: unknown[] = [];
  const port = await serve(async (request, response) => {
    const { authorization, "x-a": a, "x-b": b } = request.headers;
    seen.push([request.method, authorization, a, b, (await request.toArray()).join("")]);
    response.end(contract(NEW_KEY));
  });
  const url = `http://127.0.0.1:${port}/`;
  const parts = realParts({}, { TOKEN: "t0ken", URL: url });
  const headers = { "X-A": "plain", "X-B": { env: "TOKEN" } };
  await probe(
    { http: { url, method: "POST", headers, body: "{}", auth: { bearer: { env: "TOKEN" } } } },
    parts,
  );
  await probe({ http: { url, auth: { basic: { username: "u", password: { env: "TOKEN" } } } } }, parts);
  await probe(
    { http: { url: { env: "URL" }, auth: { header: { name: "X-A", value: { env: "TOKEN" } } } } },
    parts,
  );
  expect(seen).toEqual([
    ["POST", "Bearer t0ken", "plain", "t0ken", "{}"],
    ["GET", `Basic ${Buffer.from("u:t0ken").toString("base64")}`, undefined, undefined, ""],
    ["GET", undefined, "t0ken", undefined, ""],
  ]);
});

test("a secret that cannot be read is a problem, and nothing is asked", async () => {
  let asked = false;
  const port = await serve((_, response) => {
    asked = true;
    response.end();
  });
  const sweep = await probe({
    http: { url: `http://127.0.0.1:${port}/`, auth: { bearer: { env: "ABSENT" } } },
  });
  expect(sweep).toEqual({
    consumer: "payments",
    instances: [],
    problem: "environment variable ABSENT is not set",
  });
  expect(asked).toBe(false);
});

test("the path of a URL that is a secret is not shown", async () => {
  const port = await saying(contract(OLD_KEY));
  const sweep = await probe(
    { http: { url: { env: "URL" } } },
    realParts({}, { URL: `http://127.0.0.1:${port}/s3cret` }),
  );
  expect(sweep.instances[0]).toMatchObject({ instance: `127.0.0.1:${port}`, verdict: "other" });
});

test("over TLS by address: own authority, client certificate and name, files read at each sweep", async () => {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-"));
  const ca = await authority();
  const server = await certificate("billing.internal", ca);
  const client = await certificate("keyturn", ca);
  const port = await serveTls(
    { ...server, ca: ca.cert, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      const { servername } = request.socket as TLSSocket & { servername: string };
      response.end(contract(NEW_KEY, { instance: `${servername} for ${request.headers.host}` }));
    },
  );
  const tls = { ca: join(folder, "ca.pem"), cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  const policy = { http: { url: `https://billing.internal:${port}/`, tls }, resolve: "all" };
  const asked = createProbe(consumer(policy), realParts({ "billing.internal": ["127.0.0.1"] }));
  expect((await asked.sweep(expected)).problem).toBe(`tls.ca: ${tls.ca} cannot be read (ENOENT)`);

  await writeFile(tls.ca, ca.cert);
  await writeFile(tls.cert, client.cert);
  await writeFile(tls.key, client.key);
  const sweep = await asked.sweep(expected);
  expect(sweep.instances).toMatchObject([
    { instance: `127.0.0.1:${port} (billing.internal for billing.internal:${port})`, verdict: "confirms" },
  ]);
});

test("a certificate that is not accepted says what to set", async () => {
  const ca = await authority();
  const port = await serveTls(await certificate("billing.internal", ca), (_, response) => response.end());
  const sweep = await probe({ http: `https://127.0.0.1:${port}/` });
  expect(sweep.instances[0]).toMatchObject({ verdict: "silent", detail: expect.stringContaining("tls.ca") });
});

const SECRET = "sk-or-v1-hostile";
test.each([
  ["no answer at all", () => serveRaw(() => {}), "silent"],
  ["a reset", () => serveRaw((socket) => socket.once("data", () => socket.resetAndDestroy())), "silent"],
  ["garbage", () => serveRaw((socket) => socket.end(`\u0000\u0001${SECRET}\r\n\r\n`)), "unwell"],
  [
    "a redirect",
    () => serve((_, response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end()),
    "unwell",
  ],
  ["a page of HTML", () => saying(`<html>${SECRET}</html>`), "unwell"],
  ["an error page", () => saying(SECRET, 500), "unwell"],
  ["64 MiB", () => serve((_, response) => response.end(Buffer.alloc(67_108_864, SECRET))), "unwell"],
  ["64 KiB of brackets", () => saying("[".repeat(65_536)), "unwell"],
  [
    "a body without end",
    () =>
      serve((_, response) => {
        const more = () => {
          while (!response.destroyed && response.write(SECRET.repeat(1_000))) {}
        };
        response.on("drain", more);
        more();
      }),
    "unwell",
  ],
  [
    "a drip",
    () =>
      serve((_, response) => {
        const timer = setInterval(() => response.write(" "), 20);
        response.on("close", () => clearInterval(timer));
      }),
    "silent",
  ],
  [
    "headers without end",
    () =>
      serveRaw((socket) => {
        socket.write("HTTP/1.1 200 OK\r\n");
        for (let i = 0; i < 1_000; i++) socket.write(`x-${i}: ${SECRET.repeat(20)}\r\n`);
      }),
    "unwell",
  ],
])("%s is bounded, judged and not repeated", async (_, start, verdict) => {
  const sweep = await probe({
    http: `http://127.0.0.1:${await start()}/`,
    timeout: verdict === "silent" ? "500ms" : "10s",
  });
  expect(sweep.instances).toMatchObject([{ verdict }]);
  expect(JSON.stringify(sweep)).not.toContain(SECRET);
  expect(sweep.instances[0]?.detail.length).toBeLessThanOrEqual(200);
});

test("an instance's name is shown on one line without control characters, and bounded", async () => {
  const port = await saying(contract(NEW_KEY, { instance: `\u001b[31mred\n${"x".repeat(5_000)}` }));
  const [answer] = (await probe({ http: `http://127.0.0.1:${port}/` })).instances;
  expect(answer?.instance).toMatch(new RegExp(`^127\\.0\\.0\\.1:${port} \\( ?\\[31mred x+…$`));
  expect(answer?.instance.length).toBe(200);
});

test("no listener is silent", async () => {
  const sweep = await probe({ http: `http://127.0.0.1:${await deadPort()}/` });
  expect(sweep.instances).toMatchObject([
    { verdict: "silent", detail: expect.stringContaining("ECONNREFUSED") },
  ]);
});

test("a signal ends the sweep", async () => {
  const controller = new AbortController();
  const port = await serve(() => controller.abort());
  const policy = consumer({ http: `http://127.0.0.1:${port}/`, timeout: "1h" });
  const sweep = await createProbe(policy, realParts()).sweep(expected, controller.signal);
  expect(sweep.instances).toMatchObject([{ verdict: "silent" }]);
});

test("more instances than are asked at once are all asked", async () => {
  const port = await saying(contract(NEW_KEY));
  const urls = Array.from({ length: 100 }, (_, i) => `http://127.0.0.1:${port}/${i}`);
  const sweep = await probe({ http: urls, instances: 100 });
  expect(sweep.instances).toHaveLength(100);
  expect(confirms(sweep)).toBe(true);
});

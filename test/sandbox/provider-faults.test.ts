import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { RotationError } from "../../src/lib/errors.ts";
import type { HttpSend } from "../../src/lib/http.ts";
import { fetchSend } from "../../src/lib/http-fetch.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { FAULT_HELP, Faults } from "../../src/sandbox/faults.ts";
import { handlerSend } from "../../src/sandbox/handler-send.ts";
import { openRouterApi } from "../../src/sandbox/openrouter-api.ts";
import { ProviderModel } from "../../src/sandbox/provider-model.ts";
import { type Served, serve } from "../../src/sandbox/serve.ts";

function problem(spec: string): RotationError {
  try {
    new Faults([spec]);
  } catch (error) {
    if (error instanceof RotationError) return error;
  }
  throw new Error(`${spec} was taken for a fault`);
}

describe("a fault spec", () => {
  it("strikes once, so many times, or always", () => {
    const faults = new Faults(["create:reset", "list:500:2", "*:html-502:all"]);
    const kinds = (operation: "create" | "list", times: number) =>
      Array.from({ length: times }, () => faults.take(operation)?.kind);
    expect(kinds("create", 3)).toEqual(["reset", "html", "html"]);
    expect(kinds("list", 3)).toEqual(["status", "status", "html"]);
    expect(new Faults(["create:reset"]).take("list")).toBeUndefined();
  });

  it.each([
    ["crate:500", "did you mean create?"],
    ["create:lost-repl", "did you mean lost-reply?"],
    ["create", "create:lost-reply"],
    ["", "create:lost-reply"],
    ["create:200", "OPERATION:KIND"],
    ["create:html-502-retry-after-3", "OPERATION:KIND"],
    ["create:reset:0", "COUNT"],
    ["create:reset:1:2", "COUNT"],
    ["create:reset:often", "COUNT"],
  ])("%j is refused with a way to mend it", (spec, hint) => {
    expect(problem(spec)).toMatchObject({ code: "usage", hint: expect.stringContaining(hint) });
  });

  it("is documented, each kind of it", () => {
    for (const kind of ["lost-reply", "late", "twice", "redirect", "429-retry-after-", "html-"])
      expect(FAULT_HELP).toContain(kind);
  });
});

describe.each(["over loopback", "in process"])("a fault %s", (where) => {
  let model: ProviderModel;
  let faults: Faults;
  let served: Served | undefined;
  let create: (timeoutMs?: number) => Promise<{ code: string } | { status: number; body: string }>;
  beforeEach(async () => {
    model = new ProviderModel({ clock: systemClock, random: systemRandom, lateDelay: 0 });
    faults = new Faults();
    const handler = openRouterApi(model, faults);
    let send: HttpSend = handlerSend(handler, systemClock);
    if (where === "over loopback") {
      served = await serve(handler);
      send = fetchSend();
    }
    const authorization = `Bearer ${model.addManagementKey().reveal()}`;
    create = (timeoutMs = 10_000) =>
      send({
        method: "POST",
        url: `${served?.url ?? "http://sandbox"}/api/v1/keys`,
        headers: { authorization },
        body: '{"name":"k"}',
        timeoutMs,
        maxBytes: 100_000,
      }).catch((error: RotationError) => ({ code: error.code }));
  });
  afterEach(async () => {
    await served?.close();
    served = undefined;
  });

  it.each([
    ["lost-reply", { code: "unclear" }, 1],
    ["late", { code: "unclear" }, 1],
    ["reset", { code: "unclear" }, 0],
    ["truncated", { code: "unclear" }, 1],
    ["endless", { code: "malformed" }, 1],
    ["wrong-body", { status: 201, body: '{"ok":true}' }, 1],
    ["not-json", { status: 201 }, 1],
    ["twice", { status: 201 }, 2],
    ["redirect", { status: 307 }, 0],
    ["403", { status: 403, body: '{"error":{"code":403,"message":"Injected fault"}}' }, 0],
    ["429-retry-after-2", { status: 429, headers: { "retry-after": "2" } }, 0],
    ["html-502", { status: 502, body: expect.stringContaining("<h1>") }, 0],
    ["done-500", { status: 500 }, 1],
  ])("%s is answered with %j and leaves %i keys", async (kind, answer, keys) => {
    faults.add(`create:${kind}`);
    expect(await create()).toMatchObject(answer);
    expect(model.allKeys()).toHaveLength(keys);
    expect(await create()).toMatchObject({ status: 201 });
  });

  it("timeout gives no answer and has no effect", async () => {
    faults.add("create:timeout");
    expect(await create(50)).toEqual({ code: "unclear" });
    expect(model.allKeys()).toEqual([]);
    expect(model.requests).toMatchObject([{ method: "POST", status: 0 }]);
  });
});

it("a port that is taken is refused with what to do", async () => {
  const handler = async () => new Response("hello");
  const first = await serve(handler);
  await expect(serve(handler, { port: first.port })).rejects.toMatchObject({ code: "busy" });
  await first.close();
});

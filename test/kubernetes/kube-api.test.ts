import { describe, expect, it } from "vitest";
import {
  CONFIG_MAPS,
  EXTERNAL_SECRETS,
  type KubeApi,
  type KubeObject,
  LEASES,
  SECRETS,
} from "../../src/kubernetes/api.ts";
import { kubeApi } from "../../src/kubernetes/kube-api.ts";
import { RotationError } from "../../src/lib/errors.ts";
import { manualClock } from "../journal/manual-clock.ts";
import { answers, lostAnswer, refused, serverError, timeout, tooManyRequests } from "./model/faults.ts";
import { KubeModel } from "./model/kube-model.ts";

interface SecretObject extends KubeObject {
  data?: Record<string, string>;
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

function make(options: { clocked?: boolean } = {}) {
  const clock = manualClock();
  const model = new KubeModel({ clock });
  const connect = async () => ({ send: model.send, namespace: "shop", name: "model" });
  const random = { bytes: (n: number) => new Uint8Array(n), fraction: () => 0.5 };
  const api = kubeApi(connect, options.clocked ? { clock, random } : undefined);
  return { model, api, clock };
}

async function failure(work: Promise<unknown>): Promise<RotationError> {
  const thrown = await work.then(
    () => undefined,
    (cause) => cause,
  );
  expect(thrown).toBeInstanceOf(RotationError);
  return thrown as RotationError;
}

const payments = (data: Record<string, string> = {}) =>
  ({ metadata: { name: "payments" }, data }) as SecretObject;

describe("objects are read and written", () => {
  it("gives what was created, with the version that a replace must name", async () => {
    const { api } = make();
    const made = await api.create(SECRETS, "shop", payments({ KEY: base64("one") }));
    const next = await api.replace(SECRETS, "shop", { ...made, data: { KEY: base64("two") } });
    expect(next.metadata.resourceVersion).not.toBe(made.metadata.resourceVersion);
    expect(await api.get<SecretObject>(SECRETS, "shop", "payments")).toEqual(next);
  });

  it("is `keyturn` to everybody who asks who wrote a field", async () => {
    const { api } = make();
    const made = await api.create(SECRETS, "shop", payments({ KEY: base64("one") }));
    expect(made.metadata.managedFields?.map(({ manager }) => manager)).toEqual(["keyturn"]);
  });

  it("writes items out of a list back, which lack their type there", async () => {
    const { api } = make();
    await api.create(SECRETS, "shop", payments());
    const [item] = (await api.list<SecretObject>(SECRETS, "shop")).items;
    expect(item?.kind).toBeUndefined();
    const written = await api.replace(SECRETS, "shop", { ...item, data: { A: base64("x") } } as SecretObject);
    expect(written.data).toEqual({ A: base64("x") });
  });

  it("loses a race by `conflict`, and writes nothing", async () => {
    const { api, model } = make();
    const made = await api.create(SECRETS, "shop", payments());
    model.edit<SecretObject>(SECRETS, "shop", "payments", (object) => {
      object.data = { THEIRS: base64("x") };
    });
    const error = await failure(api.replace(SECRETS, "shop", { ...made, data: { OURS: base64("y") } }));
    expect(error).toMatchObject({ code: "conflict", status: 409 });
    expect(error.message).toContain("cannot update Secret payments in namespace shop");
    expect(model.find<SecretObject>(SECRETS, "shop", "payments")?.data).toEqual({ THEIRS: base64("x") });
  });

  it("does not replace what it has not read", async () => {
    const { api, model } = make();
    model.put(SECRETS, "shop", payments());
    expect(await failure(api.replace(SECRETS, "shop", payments()))).toMatchObject({ code: "internal" });
    expect(model.calls).toEqual([]);
  });

  it("patches only upon the version that a patch names", async () => {
    const { api } = make();
    const made = await api.create(SECRETS, "shop", payments({ A: base64("a"), B: base64("b") }));
    const { resourceVersion } = made.metadata;
    const patch = (data: object) =>
      api.patch<SecretObject>(SECRETS, "shop", "payments", { metadata: { resourceVersion }, data });
    expect((await patch({ A: null })).data).toEqual({ B: base64("b") });
    expect(await failure(patch({ B: null }))).toMatchObject({ code: "conflict" });
  });

  it("deletes upon a version, and takes what is gone for done", async () => {
    const { api, model } = make();
    const { metadata } = await api.create(SECRETS, "shop", payments());
    const stale = api.delete(SECRETS, "shop", "payments", { resourceVersion: "1" });
    expect(await failure(stale)).toMatchObject({ code: "conflict" });
    await api.delete(SECRETS, "shop", "payments", { uid: metadata.uid as string });
    await api.delete(SECRETS, "shop", "payments");
    expect(model.find(SECRETS, "shop", "payments")).toBeUndefined();
  });

  it("says `absent` of a write to what is gone, of a Lease too", async () => {
    const { api } = make();
    const lease = await api.create(LEASES, "shop", { metadata: { name: "worker" } });
    await api.delete(LEASES, "shop", "worker");
    expect(await failure(api.replace(LEASES, "shop", lease))).toMatchObject({ code: "absent" });
    expect(await failure(api.patch(SECRETS, "shop", "payments", {}))).toMatchObject({ code: "absent" });
    expect(await api.get(LEASES, "shop", "worker")).toBeUndefined();
  });
});

describe("errors say what was asked, and what to do", () => {
  const cases: [string, (api: KubeApi, model: KubeModel) => Promise<unknown>, object, RegExp][] = [
    [
      "a missing right",
      (api, model) => {
        model.deny({ verbs: ["patch"], resources: ["secrets"], resourceNames: ["payments"] });
        return api.patch(SECRETS, "shop", "payments", {});
      },
      { code: "forbidden", status: 403 },
      /allow patch on secrets\/payments in namespace shop: `rotate init --kubernetes-rbac`/,
    ],
    [
      "an expired token",
      (api, model) => {
        model.access.refuse();
        return api.get(SECRETS, "shop", "payments");
      },
      { code: "unauthorized", status: 401 },
      /token has expired/,
    ],
    [
      "a kind that is not installed",
      (api, model) => {
        model.withoutKind(EXTERNAL_SECRETS);
        return api.get(EXTERNAL_SECRETS, "shop", "payments");
      },
      { code: "unusable", status: 404 },
      /install its custom resource definition/,
    ],
    [
      "a namespace that is not there",
      (api, model) => {
        model.withoutNamespace("shop");
        return api.create(SECRETS, "shop", payments());
      },
      { code: "absent", status: 404 },
      /correct the namespace/,
    ],
    [
      "a redirect",
      (api, model) => {
        model.once({}, answers(302, "", { location: "https://login.example" }));
        return api.get(SECRETS, "shop", "payments");
      },
      { code: "malformed", status: 302 },
      /check the address/,
    ],
    [
      "a page of a proxy in place of the API",
      (api, model) => {
        model.once({}, answers(404, "<html>nothing here</html>"));
        return api.get(SECRETS, "shop", "payments");
      },
      { code: "malformed", status: 404 },
      /check the address/,
    ],
    [
      "a refusal by a rule of the cluster other than RBAC",
      (api, model) => {
        const message = 'admission webhook "policy.example" denied the request: no';
        model.once({ verb: "create" }, refused(403, "Forbidden", { message }));
        return api.create(SECRETS, "shop", payments());
      },
      { code: "forbidden", status: 403 },
      /other than RBAC/,
    ],
  ];
  it.each(cases)("of %s", async (_, act, expected, hint) => {
    const { api, model } = make();
    const error = await failure(act(api, model));
    expect(error).toMatchObject(expected);
    expect(error.message).toMatch(/^cannot \w+ \w+ (payments )?in namespace shop: /);
    expect(error.hint).toMatch(hint);
  });

  it.each([
    [503, "unclear"],
    [504, "unclear"],
    [413, "rejected"],
    [422, "rejected"],
  ])("takes %i for %s", async (status, code) => {
    const { api, model } = make();
    model.once({}, refused(status));
    expect(await failure(api.create(SECRETS, "shop", payments()))).toMatchObject({ code, status });
  });

  it("passes on how much patience was asked for", async () => {
    const { api, model } = make();
    model.once({}, tooManyRequests(7));
    const error = await failure(api.get(SECRETS, "shop", "payments"));
    expect(error).toMatchObject({ code: "throttled", retryAfterMs: 7_000 });
  });

  it("quotes the server's reason, but nothing of a Secret's content", async () => {
    const { api, model } = make();
    const inside = base64("sk-or-v1-0123456789abcdef0123456789abcdef");
    const message = `Secret "payments" is invalid: data[KEY]: Invalid value: "${inside}": not liked`;
    model.once({}, refused(422, "Invalid", { message }));
    const error = await failure(api.create(SECRETS, "shop", payments({ KEY: inside })));
    expect(error.message).toContain("not liked");
    expect(error.message).not.toContain(inside.slice(0, 16));
  });

  it("never takes for absent what somebody else answered about something else", async () => {
    const { api, model } = make();
    const other = answers(404, {
      kind: "Status",
      message: 'secrets "billing" not found',
      reason: "NotFound",
      details: { name: "billing", kind: "secrets" },
      code: 404,
    });
    model.once({}, other);
    expect(await failure(api.get(SECRETS, "shop", "payments"))).toMatchObject({ code: "malformed" });
  });

  it.each([
    ["another object", { kind: "Secret", metadata: { name: "billing", resourceVersion: "1" } }],
    ["another kind", { kind: "ConfigMap", metadata: { name: "payments", resourceVersion: "1" } }],
    ["an object of no version", { kind: "Secret", metadata: { name: "payments" } }],
    ["text", "ok"],
    ["null", null],
    ["nothing", undefined],
  ])("does not believe %s", async (_, body) => {
    const { api, model } = make();
    model.once({}, answers(200, body));
    expect(await failure(api.get(SECRETS, "shop", "payments"))).toMatchObject({ code: "malformed" });
  });
});

describe("lists are read to their end", () => {
  function stocked(count: number) {
    const { api, model, clock } = make();
    for (let i = 0; i < count; i++) {
      const labels = { app: i % 2 === 0 ? "even" : "odd" };
      model.put(CONFIG_MAPS, "shop", { metadata: { name: `config-${i}`, labels } });
    }
    model.largestPage = 3;
    return { api, model, clock };
  }
  const names = ({ items }: { items: KubeObject[] }) => items.map(({ metadata }) => metadata.name);

  it("page by page, of one namespace, by label and by name", async () => {
    const { api, model } = stocked(10);
    model.put(CONFIG_MAPS, "elsewhere", { metadata: { name: "other" } });
    expect(names(await api.list(CONFIG_MAPS, "shop"))).toHaveLength(10);
    expect(model.calls).toHaveLength(4);
    const even = await api.list(CONFIG_MAPS, "shop", { labelSelector: "app in (even)" });
    expect(names(even)).toHaveLength(5);
    const one = await api.list(CONFIG_MAPS, "shop", { fieldSelector: "metadata.name=config-7" });
    expect(names(one)).toEqual(["config-7"]);
  });

  it("as of one instant, though somebody writes between the pages", async () => {
    const { api, model } = stocked(7);
    let pages = 0;
    model.interpose((_, proceed) => {
      if (pages++ === 1) model.put(CONFIG_MAPS, "shop", { metadata: { name: "a-late-one" } });
      return proceed();
    });
    expect(names(await api.list(CONFIG_MAPS, "shop"))).not.toContain("a-late-one");
  });

  it("from the beginning again when the list expires on the way", async () => {
    const { api, model } = stocked(7);
    let pages = 0;
    model.interpose((_, proceed) => {
      if (pages++ === 1) model.expirePages();
      return proceed();
    });
    expect(names(await api.list(CONFIG_MAPS, "shop"))).toHaveLength(7);
  });

  it("but not for ever", async () => {
    const { api, model } = stocked(7);
    model.interpose((_, proceed) => {
      model.expirePages();
      return proceed();
    });
    expect(await failure(api.list(CONFIG_MAPS, "shop"))).toMatchObject({ code: "unclear", status: 410 });
    model.interpose(() => ({
      status: 200,
      body: { items: [], metadata: { resourceVersion: "1", continue: "same" } },
      headers: {},
    }));
    expect(await failure(api.list(CONFIG_MAPS, "shop"))).toMatchObject({ code: "malformed" });
  });

  it("and an answer that is no list is none that is empty", async () => {
    const { api, model } = make();
    model.once({}, answers(200, { kind: "SecretList", metadata: { resourceVersion: "5" } }));
    expect(await failure(api.list(SECRETS, "shop"))).toMatchObject({ code: "malformed" });
    model.once({}, answers(200, { items: null, metadata: { resourceVersion: "5" } }));
    expect(await api.list(SECRETS, "shop")).toEqual({ items: [], resourceVersion: "5" });
  });
});

describe("rights are asked for", () => {
  it("by verb, kind and name, with the server's reason", async () => {
    const { api, model } = make();
    model.allow({ verbs: ["get"], resources: ["secrets"], resourceNames: ["payments"], namespace: "shop" });
    const ask = (name?: string) =>
      api.may({ verb: "get", resource: SECRETS, namespace: "shop", ...(name && { name }) });
    expect(await ask("payments")).toMatchObject({
      allowed: true,
      why: expect.stringContaining("RoleBinding"),
    });
    expect(await ask("billing")).toEqual({ allowed: false });
    expect(await ask()).toEqual({ allowed: false });
  });
});

describe("the connection is made when it is needed", () => {
  it("once, and again after it has failed", async () => {
    const model = new KubeModel();
    let tries = 0;
    const api = kubeApi(async () => {
      if (tries++ === 0) throw new RotationError("unusable", "no Kubernetes cluster is configured here");
      return { send: model.send, namespace: "shop", name: "model" };
    });
    expect(tries).toBe(0);
    expect(await failure(api.get(SECRETS, "shop", "payments"))).toMatchObject({ code: "unusable" });
    expect(await api.cluster()).toEqual({ namespace: "shop", name: "model" });
    await Promise.all([api.get(SECRETS, "shop", "payments"), api.list(SECRETS, "shop")]);
    expect(tries).toBe(2);
  });
});

describe("weather is waited out only where nothing can go wrong", () => {
  const verbs = (calls: readonly { verb: string }[]) => calls.map(({ verb }) => verb);

  it("repeats a read, and waits as long as it is asked to", async () => {
    const { api, model, clock } = make({ clocked: true });
    const start = clock.now();
    model.put(SECRETS, "shop", payments());
    model.once({}, serverError);
    model.once({}, timeout);
    model.once({}, tooManyRequests(5));
    expect(await api.get(SECRETS, "shop", "payments")).toBeDefined();
    expect(verbs(model.calls)).toEqual(["get", "get", "get", "get"]);
    expect(clock.now() - start).toBeGreaterThanOrEqual(5_000);
  });

  it("gives up after four tries, and at once where patience is asked for longer than ten seconds", async () => {
    const { api, model } = make({ clocked: true });
    const stop = model.interpose(() => serverError(() => ({}) as never, {} as never));
    expect(await failure(api.get(SECRETS, "shop", "payments"))).toMatchObject({ code: "unclear" });
    expect(model.calls).toHaveLength(4);
    stop();
    model.calls.length = 0;
    model.once({}, tooManyRequests(60));
    expect(await failure(api.get(SECRETS, "shop", "payments"))).toMatchObject({ code: "throttled" });
    expect(model.calls).toHaveLength(1);
  });

  it("never repeats a write", async () => {
    const { api, model } = make({ clocked: true });
    model.once({}, lostAnswer);
    expect(await failure(api.create(SECRETS, "shop", payments()))).toMatchObject({ code: "unclear" });
    expect(verbs(model.calls)).toEqual(["create"]);
    expect(model.find(SECRETS, "shop", "payments")).toBeDefined();
  });

  it("does not repeat what a repetition would not change", async () => {
    const { api, model } = make({ clocked: true });
    model.access.refuse();
    await failure(api.get(SECRETS, "shop", "payments"));
    expect(model.calls).toHaveLength(1);
  });
});

describe("the API server's clock", () => {
  it("is compared with ours by its answers", async () => {
    const { api, model } = make({ clocked: true });
    expect(api.skewMs()).toBeUndefined();
    model.clockError = 600_000;
    await api.get(SECRETS, "shop", "payments");
    expect(api.skewMs()).toBe(600_000);
  });
});

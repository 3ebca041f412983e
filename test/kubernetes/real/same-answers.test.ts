import { beforeAll, describe, expect, test } from "vitest";
import {
  CONFIG_MAPS,
  type KubeRequest,
  type KubeSend,
  LEASES,
  SECRETS,
} from "../../../src/kubernetes/api.ts";
import { pathOf } from "../../../src/kubernetes/call.ts";
import { virtualClock } from "../../providers/virtual-clock.ts";
import { KubeModel } from "../model/kube-model.ts";
import { answerViews } from "./answer-view.ts";
import { connect, connectWith, installExternalSecrets, newNamespace, sendAsAdmin, until } from "./cluster.ts";
import { type Caller, caller, type Scenario, scenarios } from "./scenarios.ts";

beforeAll(() => installExternalSecrets());

describe("the model answers as the real API server does:", () => {
  test.each(scenarios)("$name", async (scenario) => {
    const namespace = await newNamespace();
    const real = await answers(scenario, sendAsAdmin, namespace);
    expect(await answers(scenario, new KubeModel().send, namespace)).toEqual(real);
  });

  test("somebody without rights, and somebody with a token that is none", async () => {
    const { send } = await connect("nobody");
    const model = new KubeModel();
    model.allow({ user: "nobody", resources: ["none"], verbs: ["none"] });
    const scenario: Scenario = {
      name: "refused",
      async play(api) {
        await api.get("get", SECRETS, "payments");
        await api.list("list", SECRETS);
        await api.create("create", LEASES, { metadata: { name: "a" } });
        await api.replace("update", CONFIG_MAPS, "a", { metadata: { name: "a" } });
        await api.patch("patch", SECRETS, "payments", {});
        await api.delete("delete", SECRETS, "payments");
      },
    };
    const real = await answers(scenario, send, "default");
    expect(await answers(scenario, model.as("nobody"), "default")).toEqual(real);
    model.access.refuse("nobody");
    const view = answerViews("default");
    const request: KubeRequest = { method: "GET", path: pathOf(SECRETS, "default", "payments") };
    const stranger = await connectWith("not-a-token", "default");
    expect(view(await model.as("nobody")(request))).toEqual(view(await stranger.send(request)));
  });

  test("when the times of a Secret's managers change", async () => {
    const namespace = await newNamespace();
    const clock = virtualClock();
    const model = new KubeModel({ clock });
    const real = await changes(sendAsAdmin, namespace, () => nextSecond());
    const modelled = await changes(model.send, namespace, () => clock.sleep(1_000));
    expect(modelled).toEqual(real);
    expect(real).toContainEqual(["another value by its owner", ["keyturn"]]);
  });
});

/** What is answered to each call, by what is said of it. */
async function answers({ play }: Scenario, send: KubeSend, namespace: string) {
  const view = answerViews(namespace);
  const all: Record<string, unknown>[] = [];
  await play(caller(send, namespace, (said, answer) => all.push({ [said]: view(answer) })));
  return all;
}

/** Which managers have a new time after each of some writes, each in a second of its own. */
async function changes(send: KubeSend, namespace: string, pause: () => Promise<void>) {
  const all: [string, string[]][] = [];
  let before = new Map<string, string>();
  const api = caller(send, namespace, (said, { body }) => {
    const { metadata } = body as { metadata: { managedFields?: { manager: string; time: string }[] } };
    const now = new Map((metadata.managedFields ?? []).map(({ manager, time }) => [manager, time]));
    all.push([said, [...now].filter(([name, time]) => before.get(name) !== time).map(([name]) => name)]);
    before = now;
  });
  const writes: ((mine: Caller, others: Caller) => Promise<unknown>)[] = [
    (mine) => mine.create("made", SECRETS, { metadata: { name: "a" }, data: { A: "YQ==", B: "Yg==" } }),
    (mine) => mine.patch("another value by its owner", SECRETS, "a", { data: { A: "YTI=" } }),
    (mine) => mine.patch("the same value by its owner", SECRETS, "a", { data: { A: "YTI=" } }),
    (_, others) => others.patch("a label by another", SECRETS, "a", { metadata: { labels: { a: "1" } } }),
    (_, others) => others.patch("a value by another", SECRETS, "a", { data: { B: "YjI=" } }),
    (mine) => mine.patch("a value away by its owner", SECRETS, "a", { data: { A: null } }),
    (mine) => mine.patch("another's value away", SECRETS, "a", { data: { B: null } }),
    (mine) => mine.patch("an annotation", SECRETS, "a", { metadata: { annotations: { a: "1" } } }),
  ];
  for (const write of writes) {
    await write(api, api.as("kubectl"));
    await pause();
  }
  return all.map(([said, names]) => [said, names.toSorted()]);
}

/** Returns in a later second of the API server's clock. */
async function nextSecond(): Promise<void> {
  const second = async () => (await sendAsAdmin({ method: "GET", path: "/version" })).headers.date;
  const now = await second();
  await until("the next second", async () => (await second()) !== now);
}

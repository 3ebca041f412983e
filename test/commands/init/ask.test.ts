import { describe, expect, it } from "vitest";
import { askFor, type Prompts } from "../../../src/commands/init/ask.ts";
import { type Draft, draftOf } from "../../../src/commands/init/draft.ts";
import { judgeAt } from "../../../src/commands/init/judge.ts";
import type { IssuedKey } from "../../../src/providers/provider.ts";

const judge = judgeAt("/srv/keyturn/rotation.yaml", {});

/** A person who answers by a part of the question; what is not there is answered as suggested. */
function person(answers: Readonly<Record<string, string | readonly string[]>>) {
  const asked: string[] = [];
  const faults: string[] = [];
  const left = new Map(
    Object.entries(answers).map(([question, answer]) => [
      question,
      Array.isArray(answer) ? [...answer] : [answer],
    ]),
  );
  const answerTo = (message: string) => {
    asked.push(message);
    const question = [...left.keys()].find((part) => message.includes(part));
    return question === undefined ? undefined : (left.get(question)?.shift() as string | undefined);
  };
  const prompts: Prompts = {
    select: async (message, choices) => {
      const answer = answerTo(message);
      const chosen = answer === undefined ? choices[0] : choices.find(({ name }) => name.includes(answer));
      if (!chosen || chosen.disabled) throw new Error(`${answer} cannot be chosen`);
      return chosen.value;
    },
    input: async (message, { preset = "", fault }) => {
      for (;;) {
        const text = answerTo(message) ?? preset;
        const wrong = await fault?.(text);
        if (wrong === undefined) return text;
        faults.push(wrong);
        if (faults.length > 10) throw new Error(`no way out of ${message}: ${wrong}`);
      }
    },
    confirm: async (message, preset) => (answerTo(message) ?? (preset ? "yes" : "no")) === "yes",
  };
  return { prompts, asked, faults };
}

async function policyOf(
  answers: Readonly<Record<string, string | readonly string[]>>,
  given: Partial<Draft> = {},
  keys?: IssuedKey[],
) {
  const { prompts, asked, faults } = person(answers);
  const said = await askFor(given, { prompts, judge, keysOf: async () => keys });
  const judgement = await judge(said);
  if (!("loaded" in judgement)) throw new Error(JSON.stringify(judgement));
  return { policy: judgement.loaded.policy, asked, faults, draft: draftOf(said) };
}

describe("rotate init, answered by a person", () => {
  it("makes a valid policy of the suggestions alone", async () => {
    const { policy, faults } = await policyOf({});
    expect(faults).toEqual([]);
    expect(policy.keys[0]).toMatchObject({ name: "payments-api", consumers: "none" });
  });

  it("asks again until the loader has nothing to complain", async () => {
    const { policy, faults } = await policyOf({
      "called in the policy": ["Not A Name", "chat"],
      "by name": "web",
      "Health URL of web": ["nowhere", "http://10.0.0.7:8080/healthz"],
      "How long": "soon",
    });
    expect(policy.keys[0]).toMatchObject({ name: "chat", consumers: [{ name: "web" }] });
    expect(faults).toHaveLength(2);
    expect(faults[0]).toContain("a name of lower-case letters");
    expect(faults[1]).toContain("an http:// or https:// URL");
  });

  it("makes policies for AWS and for Kubernetes", async () => {
    const aws = await policyOf({
      "services read it": "AWS",
      region: "eu-west-1",
      "Name of the secret": "prod/payments",
      "May keyturn make": "yes",
    });
    expect(aws.policy.stores).toEqual({ aws: expect.objectContaining({ region: "eu-west-1" }) });
    expect(aws.policy.keys[0]?.store).toMatchObject({ secret: "prod/payments", create: true });

    const cluster = await policyOf({
      "services read it": "Kubernetes",
      Namespace: "shop",
      "by name": "payments",
      "Health URL of payments": "deployment/payments",
    });
    expect(cluster.policy.journal).toMatchObject({ type: "kubernetes" });
    expect(cluster.policy.keys[0]?.consumers).toMatchObject([
      { probe: { kubernetes: { rollout: "deployment/payments" } } },
    ]);
  });

  it("takes the key that was chosen, and does not offer one that is disabled", async () => {
    const keys: IssuedKey[] = [
      { hash: "ab".repeat(32), name: "Prod payments", limit: 40, raw: {} },
      { hash: "cd".repeat(32), name: "Old", disabled: true, raw: {} },
    ];
    const { policy } = await policyOf({ "Which key": "Prod payments" }, {}, keys);
    expect(policy.keys[0]).toMatchObject({
      name: "prod-payments",
      adopt: { hash: "ab".repeat(32) },
      settings: { limit: 40 },
    });
    await expect(policyOf({ "Which key": "Old" }, {}, keys)).rejects.toThrow("cannot be chosen");
  });

  it("asks nothing that an option has said", async () => {
    const { asked } = await policyOf(
      {},
      { provider: "arouter", key: "chat", schedule: "7d", retireAfter: "1h" },
    );
    expect(asked.join("\n")).not.toMatch(/Who issues|called in the policy|When is it|by name|How long/);
  });
});

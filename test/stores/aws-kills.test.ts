import { describe, expect, test } from "vitest";
import { awsStore } from "../../src/stores/aws/store.ts";
import type { Store } from "../../src/stores/store.ts";
import { SecretsManagerModel } from "../aws/model.ts";
import { inProcessClient } from "../aws/serve.ts";
import { type Mortality, mortal, mortality } from "../rotation/mortal.ts";
import { FIELD, HOUR, hashOf, type Process, type Scenario, scenario } from "../rotation/scenario.ts";
import { AWS_CONFIG } from "./aws-bench.ts";

const SECRET = "payments";
const EDIT = "edit-00000000000000000000000000000000";

/** The rotation's world with the secret in AWS, which consumers read there. */
async function awsScenario(options: Parameters<typeof scenario>[0]) {
  const key = { ...options?.key, store: { use: "local", secret: SECRET, field: FIELD, create: true } };
  const world = await scenario({ ...options, key });
  const aws = new SecretsManagerModel({ clock: world.clock });
  const before = world.backing.get(SECRET)?.text;
  if (before) aws.perform("CreateSecret", { Name: SECRET, ClientRequestToken: EDIT, SecretString: before });
  const perform = aws.perform.bind(aws);
  aws.perform = (action, input) => {
    const answer = perform(action, input);
    const text = aws.current(SECRET);
    if (text !== undefined) world.backing.set(SECRET, { text });
    return answer;
  };
  const storeOf = (life?: Mortality): Store => {
    const client = inProcessClient(aws);
    return awsStore("local", AWS_CONFIG, {
      clock: world.clock,
      random: world.random,
      client: life ? mortal(client, "aws", life) : client,
    });
  };
  return { world, aws, process: (life?: Mortality) => world.process({ store: storeOf(life) }) };
}

interface Course {
  name: string;
  options?: Parameters<typeof scenario>[0];
  before?(world: Scenario): void;
  act(process: Process): Promise<unknown>;
}

const COURSES: Course[] = [
  { name: "rotating", act: (process) => process.now() },
  { name: "provisioning", options: { existing: false }, act: (process) => process.once() },
  {
    name: "going back on a timeout",
    options: { key: { confirm: { timeout: "5s", interval: "5s", onTimeout: "rollback" } } },
    before: (world) => world.payments.stuck(),
    act: (process) => process.now(),
  },
];

describe.each(COURSES)("a process killed while $name a key in AWS", (course) => {
  test.each(["before", "after"] as const)(
    "%s any call to AWS leaves a world that the next process brings to a good end",
    async (moment) => {
      let at = 1;
      for (; ; at += 1) {
        const { world, aws, process } = await awsScenario(course.options);
        course.before?.(world);
        const life = mortality(at, moment);
        const doomed = process(life);
        const acted = course.act(doomed);
        await Promise.race([acted, life.died]);
        doomed.kill();

        const where = `killed ${moment} call ${at} (${life.calls.at(-1)})`;
        await process().once({ within: HOUR });
        await world.clock.sleep(2 * HOUR);
        await process().once({ within: HOUR });
        expect(world.violations, where).toEqual([]);
        expect(
          world.live().map((key) => key.hash),
          where,
        ).toEqual([hashOf(world.current())]);
        expect((await process().status()).rotation, where).toBeUndefined();
        const labels = Object.keys(aws.secret(SECRET)?.labels ?? {});
        expect(labels.length, `${where}: ${labels}`).toBeLessThanOrEqual(6);
        if (life.calls.length < at) break;
      }
      expect(at).toBeGreaterThan(8);
    },
  );
});

test("reads that lag behind, lost replies and throttling do not keep a rotation from its end", async () => {
  const { world, aws, process } = await awsScenario({});
  Object.assign(aws.knobs, { describeLag: 1_000, getLag: 2_500 });
  aws.knobs.lostReplies.push(
    "PutSecretValue",
    "UpdateSecretVersionStage",
    "UpdateSecretVersionStage",
    "TagResource",
  );
  aws.knobs.throttle = 2;
  expect(await process().now()).toMatchObject({ outcome: "deleted" });
  expect(world.violations).toEqual([]);
  expect(world.live().map((key) => key.hash)).toEqual([hashOf(world.current())]);
});

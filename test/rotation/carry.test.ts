import { expect, test } from "vitest";
import { hashOf, type Scenario, scenario } from "./scenario.ts";

const ACCOUNT = "default";

/** A guardrail on the key that the consumers use now. */
function guardCurrent(world: Scenario): string {
  const { bound } = world.model;
  const guardrail = bound.addGuardrail({ name: "no personal data" }, ACCOUNT, world.model.defaultWorkspace());
  bound.assign(guardrail, hashOf(world.current()) as string);
  return guardrail.id;
}

function guardsOf(world: Scenario, hash: string | undefined): string[] {
  return world.model.bound
    .assignments(ACCOUNT)
    .filter((assignment) => assignment.hash === hash)
    .map(({ guardrail }) => guardrail);
}

test("a guardrail that hangs on the old key's hash is on the new key before that is promoted", async () => {
  const world = await scenario();
  const old = hashOf(world.current());
  const guardrail = guardCurrent(world);
  const process = world.process();
  let atPromotion: string[] | undefined;
  const result = await process.now({
    onProgress: (progress) => {
      if (progress.type === "phase" && progress.phase === "verified")
        atPromotion = world.model
          .liveKeys()
          .filter((key) => key.hash !== old)
          .flatMap((key) => guardsOf(world, key.hash));
    },
  });
  expect(result.outcome).toBe("deleted");
  expect(atPromotion).toEqual([guardrail]);
  expect(guardsOf(world, hashOf(world.current()))).toEqual([guardrail]);
  const events = await process.engine.history({});
  expect(events.find((event) => event.kind === "verified")?.message).toContain(
    `guardrail ${guardrail} carried over`,
  );
});

test("a guardrail that cannot be put on the new key ends the rotation before promotion, with the old key in use", async () => {
  const world = await scenario();
  const old = world.current();
  const guardrail = guardCurrent(world);
  const process = world.process();
  const result = await process.now({
    onProgress: (progress) => {
      if (progress.type !== "phase" || progress.phase !== "staged") return;
      const found = world.model.bound.guardrail(guardrail, ACCOUNT);
      if (found) world.model.bound.assign = () => {};
    },
  });
  expect(result).toMatchObject({ outcome: "failed" });
  expect(result.message).toContain(`guardrail ${guardrail} of the old key cannot be seen on key`);
  expect(world.current()).toBe(old);
  expect(world.live().map((key) => key.hash)).toEqual([hashOf(old)]);
});

import { expect, it } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { Secret } from "../../src/lib/secret.ts";
import { type MemoryBacking, memoryStore } from "../../src/stores/memory.ts";
import { describeStore } from "../conformance/store.ts";

describeStore(
  "the memory store",
  async () => {
    const backing: MemoryBacking = new Map();
    const overwrite = (secret: string, text: string) => {
      backing.set(secret, { ...backing.get(secret), text });
    };
    return {
      store: memoryStore("local", { clock: systemClock, backing }),
      another: async () => memoryStore("local", { clock: systemClock, backing }),
      write: async ({ secret, field }, value) => {
        const fields = JSON.parse((field !== undefined && backing.get(secret)?.text) || "{}");
        overwrite(secret, field === undefined ? value : JSON.stringify({ ...fields, [field]: value }));
      },
      overwrite: async ({ secret }, text) => overwrite(secret, text),
      close: async () => {},
    };
  },
  { firstVersionIsCurrent: false, editsAreVersions: false, editsKeepLabels: true },
);

it("goes back to a snapshot of its backing", async () => {
  const ref = { secret: "payments" };
  const backing: MemoryBacking = new Map();
  const store = memoryStore("local", { clock: systemClock, backing });
  await store.claim(ref, { installation: "prod", journal: "j1" }, { create: true });
  const snapshot = new Map(backing);
  const before = await store.observe(ref);
  await store.stage(ref, { rotation: "r1", hash: "h1", value: new Secret("k1"), base: before.base });
  const then = memoryStore("local", { clock: systemClock, backing: snapshot });
  expect(await then.observe(ref)).toEqual(before);
  expect((await store.observe(ref)).staged).toHaveLength(1);
});

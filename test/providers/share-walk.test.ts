import { describe, expect, it } from "vitest";
import { shareWalk } from "../../src/providers/share-walk.ts";

/** A walk that ends when it is told to, with its number. */
function walks() {
  const begun: PromiseWithResolvers<number>[] = [];
  const ask = shareWalk(() => {
    const walk = Promise.withResolvers<number>();
    begun.push(walk);
    return walk.promise;
  });
  return { begun, ask };
}

describe("a walk that several ask for", () => {
  it("is begun at once where none is under way", async () => {
    const { begun, ask } = walks();
    const first = ask();
    begun[0]?.resolve(1);
    expect(await first).toBe(1);
    const second = ask();
    expect(begun).toHaveLength(2);
    begun[1]?.resolve(2);
    expect(await second).toBe(2);
  });

  it("never began before it was asked for, and is one for all who ask meanwhile", async () => {
    const { begun, ask } = walks();
    const first = ask();
    const later = [ask(), ask(), ask()];
    expect(begun).toHaveLength(1);
    begun[0]?.resolve(1);
    expect(await first).toBe(1);
    await expect.poll(() => begun.length).toBe(2);
    const last = ask();
    begun[1]?.resolve(2);
    expect(await Promise.all(later)).toEqual([2, 2, 2]);
    await expect.poll(() => begun.length).toBe(3);
    begun[2]?.resolve(3);
    expect(await last).toBe(3);
  });

  it("that fails fails for those who share it, and the next is walked all the same", async () => {
    const { begun, ask } = walks();
    const first = ask();
    const next = ask();
    begun[0]?.reject(new Error("weather"));
    await expect(first).rejects.toThrow("weather");
    await expect.poll(() => begun.length).toBe(2);
    begun[1]?.resolve(2);
    expect(await next).toBe(2);
    const third = ask();
    begun[2]?.resolve(3);
    expect(await third).toBe(3);
  });
});

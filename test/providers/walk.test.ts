import { describe, expect, it } from "vitest";
import type { IssuedKey } from "../../src/providers/provider.ts";
import { walk } from "../../src/providers/walk.ts";

const key = (name: string | number): IssuedKey => ({ hash: `hash ${name}`, raw: {} });
const keys = (count: number) => Array.from({ length: count }, (_, i) => key(i));

/** A list, newest first, that `change` alters after each page is read. */
async function walked(list: IssuedKey[], change: (pagesRead: number) => void = () => {}) {
  let pages = 0;
  const found = await walk(async (offset) => {
    const page = list.slice(offset, offset + 100);
    change(++pages);
    return page;
  });
  return { pages, hashes: found.map(({ hash }) => hash) };
}

it.each([0, 1, 99, 100, 101, 190, 191, 257, 1000])("finds each of %i keys once", async (count) => {
  const list = keys(count);
  const { hashes } = await walked([...list]);
  expect(hashes.sort()).toEqual(list.map(({ hash }) => hash).sort());
});

it("misses no key that was there throughout while newer ones appear", async () => {
  const list = keys(257);
  const there = list.map(({ hash }) => hash);
  const { hashes } = await walked(list, (n) => list.unshift(key(`new ${n} a`), key(`new ${n} b`)));
  expect(hashes).toEqual(expect.arrayContaining(there));
  expect(new Set(hashes).size).toBe(hashes.length);
});

it.each([1, 5, 9])(
  "misses no key that stays while %i before it are deleted with each page",
  async (deleted) => {
    const list = keys(457);
    const { hashes } = await walked(list, () => list.splice(0, deleted));
    expect(hashes).toEqual(expect.arrayContaining(list.map(({ hash }) => hash)));
  },
);

it.each([10, 60, 100, 140, 190])(
  "goes back when %i deleted keys have pulled the rest past it",
  async (deleted) => {
    const list = keys(457);
    const { hashes } = await walked(list, (pages) => pages === 2 && list.splice(0, deleted));
    expect(hashes).toEqual(expect.arrayContaining(list.map(({ hash }) => hash)));
  },
);

it("goes back when the list has become shorter than where it stands", async () => {
  const list = keys(150);
  const { hashes } = await walked(list, (pages) => pages === 1 && list.splice(0, 80));
  expect(hashes).toEqual(expect.arrayContaining(list.map(({ hash }) => hash)));
});

describe("where a server may cut pages shorter than asked", () => {
  const cut = (list: IssuedKey[], to: number) =>
    walk(async (offset) => list.slice(offset, offset + to), { asked: 100, least: 20 });

  it.each([0, 1, 19, 20, 21, 30, 40, 49, 50, 51, 90, 99, 100, 101, 150, 257])(
    "finds each of %i keys once, however short they are",
    async (count) => {
      const list = keys(count);
      for (const to of [20, 25, 50, 99, 100, 300]) expect((await cut(list, to)).length).toBe(count);
    },
  );

  it("takes a page that comes whatever the offset for the whole, unless it is as long as asked", async () => {
    const same = (count: number) => walk(async () => keys(count), { asked: 100, least: 20 });
    for (const count of [1, 20, 99, 101, 500]) expect((await same(count)).length).toBe(count);
    await expect(same(100)).rejects.toMatchObject({ code: "malformed" });
  });

  it("misses no key that stays while those before it are deleted", async () => {
    const list = keys(257);
    const found = await walk(
      async (offset) => {
        const page = list.slice(offset, offset + 50);
        list.splice(0, 15);
        return page;
      },
      { asked: 100, least: 20 },
    );
    expect(found).toEqual(expect.arrayContaining(list));
  });
});

it("gives a key that was seen twice as it was seen last", async () => {
  const list = keys(150);
  const found = await walk(async (offset) =>
    list.slice(offset, offset + 100).map((k) => ({ ...k, usage: offset })),
  );
  expect(found.find(({ hash }) => hash === "hash 95")?.usage).toBe(90);
});

it("ends as malformed at a server that gives the same full page for ever", async () => {
  let pages = 0;
  const call = walk(async () => {
    pages++;
    return keys(100);
  });
  await expect(call).rejects.toMatchObject({ code: "malformed" });
  expect(pages).toBeLessThan(20);
});

it("ends as malformed at a server whose pages never end", async () => {
  let next = 0;
  const list: IssuedKey[] = [];
  const call = walk(async (offset) => {
    while (list.length < offset + 100) list.push(key(next++));
    return list.slice(offset, offset + 100);
  });
  await expect(call).rejects.toMatchObject({ code: "malformed" });
});

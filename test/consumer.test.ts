import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fingerprint, healthBody, type WatchOptions, watchKey } from "../src/consumer.ts";

const folder = () => mkdtemp(join(tmpdir(), "keyturn-"));

/** Nothing but the system's notices, so that a test shows that they are enough. */
const NEVER = 1e9;

function watched(file: string, options: WatchOptions = {}) {
  const watch = watchKey(file, { intervalMs: NEVER, ...options });
  onTestFinished(() => watch.close());
  return watch;
}

async function replace(file: string, content: string): Promise<void> {
  await writeFile(`${file}.tmp`, content);
  await rename(`${file}.tmp`, file);
}

test("a fingerprint is sha256: and the hex digest of the key", () => {
  expect(fingerprint("abc")).toBe("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test("the key is there at once, without the line's end", async () => {
  const file = join(await folder(), "key");
  await writeFile(file, "k1\n");
  expect(watched(file).current()).toBe("k1");
});

test("a file replaced by rename is read again, and the change is told with the key before", async () => {
  const file = join(await folder(), "key");
  await writeFile(file, "k1");
  const changes: unknown[] = [];
  const watch = watched(file, { onChange: (...change) => changes.push(change) });
  await replace(file, "k2");
  await expect.poll(() => watch.current()).toBe("k2");
  await replace(file, "k3");
  await expect.poll(() => watch.current()).toBe("k3");
  expect(changes).toEqual([
    ["k2", "k1"],
    ["k3", "k2"],
  ]);
});

test("a file written in place is read again", async () => {
  const file = join(await folder(), "key");
  await writeFile(file, "k1");
  const watch = watched(file);
  await writeFile(file, "k2");
  await expect.poll(() => watch.current()).toBe("k2");
});

test("a file that comes later is read when it comes", async () => {
  const file = join(await folder(), "key");
  const watch = watched(file);
  expect(watch.current()).toBeUndefined();
  await replace(file, "k1");
  await expect.poll(() => watch.current()).toBe("k1");
});

test("a folder that comes later is found by the interval", async () => {
  const file = join(await folder(), "secrets", "key");
  const watch = watched(file, { intervalMs: 10 });
  await mkdir(join(file, ".."));
  await writeFile(file, "k1");
  await expect.poll(() => watch.current()).toBe("k1");
});

test("a field of a JSON object is the key; other fields change nothing", async () => {
  const file = join(await folder(), "key.json");
  await writeFile(file, JSON.stringify({ KEY: "k1", OTHER: "x" }));
  const changes: string[] = [];
  const watch = watched(file, { field: "KEY", onChange: (key) => changes.push(key) });
  expect(watch.current()).toBe("k1");
  await replace(file, JSON.stringify({ KEY: "k1", OTHER: "y" }));
  await watch.refresh();
  await replace(file, JSON.stringify({ KEY: "k2", OTHER: "y" }));
  await expect.poll(() => changes).toEqual(["k2"]);
});

test.each(["", '{"KEY": "k', "{}", '{"KEY": 1}', '{"KEY": ""}', "[]", "null", '"k2"'])(
  "%j in place of the object keeps the key last read",
  async (content) => {
    const file = join(await folder(), "key.json");
    await writeFile(file, '{"KEY":"k1"}');
    const watch = watched(file, { field: "KEY" });
    await writeFile(file, content);
    await watch.refresh();
    expect(watch.current()).toBe("k1");
  },
);

test("a file that is emptied or removed keeps the key last read", async () => {
  const file = join(await folder(), "key");
  await writeFile(file, "k1");
  const watch = watched(file);
  await writeFile(file, " \n");
  await watch.refresh();
  await rm(file);
  await watch.refresh();
  expect(watch.current()).toBe("k1");
});

test("a mounted Kubernetes secret is followed through its symbolic links", async () => {
  const mount = await folder();
  const publish = async (version: string, key: string) => {
    await mkdir(join(mount, version));
    await writeFile(join(mount, version, "key"), key);
    await symlink(version, join(mount, "..data_tmp"));
    await rename(join(mount, "..data_tmp"), join(mount, "..data"));
  };
  await publish("..1", "k1");
  await symlink("..data/key", join(mount, "key"));
  const watch = watched(join(mount, "key"));
  expect(watch.current()).toBe("k1");
  await publish("..2", "k2");
  await expect.poll(() => watch.current()).toBe("k2");
});

test("refresh reads at once, and what was written before it is seen", async () => {
  const file = join(await folder(), "key");
  const watch = watched(file);
  for (let i = 0; i < 50; i++) {
    await writeFile(file, `k${i}`);
    await watch.refresh();
    expect(watch.current()).toBe(`k${i}`);
  }
});

test("after close, or once the signal is aborted, nothing changes any more", async () => {
  const file = join(await folder(), "key");
  await writeFile(file, "k1");
  const controller = new AbortController();
  const [a, b] = [watched(file), watched(file, { signal: controller.signal })];
  a.close();
  controller.abort();
  await writeFile(file, "k2");
  await Promise.all([a.refresh(), b.refresh()]);
  expect([a.current(), b.current()]).toEqual(["k1", "k1"]);
});

test("the health body holds fingerprints only, whether it is given keys or fingerprints", () => {
  const keys = {
    "payments-api": { serving: "k2", holding: ["k1", "k1", fingerprint("k1")] },
    "search-api": { serving: undefined },
  };
  expect(healthBody({ instance: "p-1", keys })).toEqual({
    status: "ok",
    instance: "p-1",
    keys: {
      "payments-api": { serving: fingerprint("k2"), holding: [fingerprint("k1")] },
      "search-api": { serving: null, holding: [] },
    },
  });
});

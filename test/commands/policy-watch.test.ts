import { mkdir, mkdtemp, rename, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PolicyWatch } from "../../src/commands/policy-watch.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { RotationError } from "../../src/lib/errors.ts";
import { loadPolicy } from "../../src/policy/load.ts";
import type { Policy } from "../../src/policy/schema.ts";

const YAML = `version: 1
providers:
  openrouter: { type: openrouter, managementKey: { env: MANAGEMENT } }
stores:
  local: { type: file, path: ./secrets }
server: { port: 8080 }
keys:
  - name: payments-api
    provider: openrouter
    schedule: "\${SCHEDULE}"
    store: { use: local, secret: payments, field: K }
    consumers: none
    retire: { after: 1h }
`;
const SECOND = `${YAML}  - name: search-api
    provider: openrouter
    schedule: none
    store: { use: local, secret: search, field: K }
    consumers: none
    retire: { after: 1h }
`;
const env = { SCHEDULE: "0 10 * * 2" };

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyturn-watch-"));
  file = join(folder, "rotation.yaml");
});

afterEach(() => rm(folder, { recursive: true }));

/** A clock that goes on only when it is told to, and then until its sleeper sleeps again. */
class Steps implements Clock {
  #now = Date.parse("2027-03-10T12:00:00Z");
  #wake: () => void = () => {};
  #asleep = Promise.withResolvers<void>();

  now = () => this.#now;

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#now += ms;
        resolve();
      };
      if (signal?.aborted) resolve();
      signal?.addEventListener("abort", () => resolve(), { once: true });
      this.#asleep.resolve();
    });
  }

  /** What happens between two sleeps; without `act`, because the first one is over. */
  async turn(act: () => void = () => this.#wake()): Promise<void> {
    await this.#asleep.promise;
    this.#asleep = Promise.withResolvers();
    act();
    await this.#asleep.promise;
  }
}

/** A watch over the file, which says `text` when it begins. */
async function watching(text = YAML, refuse?: (policy: Policy) => void) {
  await writeFile(file, text);
  const clock = new Steps();
  const logged: string[] = [];
  const taken: Policy[] = [];
  const loaded: [ok: boolean, problem?: string][] = [];
  const say = (level: string) => (_fields: object, message: string) =>
    logged.push(`${level}: ${message.replaceAll(folder, "")}`);
  const { policy } = await loadPolicy(file, env);
  const watch = new PolicyWatch({
    file,
    env,
    policy,
    text,
    take: (next) => {
      refuse?.(next);
      taken.push(next);
    },
    observer: { policyLoaded: (...outcome) => loaded.push(outcome) },
    clock,
    log: { info: say("info"), error: say("error") } as never,
    signal: new AbortController().signal,
  });
  void watch.run();
  return {
    logged,
    loaded,
    /** The names of the keys of what was put into force. */
    taken: () => taken.map(({ keys }) => keys.map(({ name }) => name)),
    looks: async (count: number) => {
      for (let at = 0; at < count; at += 1) await clock.turn();
    },
    hangUp: () => clock.turn(() => watch.ask()),
  };
}

describe("a policy file that changes", () => {
  test("is in force once the same was found twice, and the log says what of it is new", async () => {
    const watch = await watching();
    await watch.looks(3);
    await writeFile(file, SECOND);
    await watch.looks(1);
    expect(watch.taken()).toEqual([]);
    await watch.looks(1);
    expect(watch.taken()).toEqual([["payments-api", "search-api"]]);
    await writeFile(file, YAML.replace("retire: { after: 1h }", "retire: { after: 2h }"));
    await watch.looks(2);
    expect(watch.logged).toEqual([
      "info: the policy is reloaded: adds search-api",
      "info: the policy is reloaded: removes search-api; changes payments-api",
    ]);
    expect(watch.loaded).toEqual([[true], [true], [true]]);
  });

  test("while it is being written is nobody's policy, valid or not", async () => {
    const watch = await watching(SECOND);
    for (const length of [40, 200, YAML.length, YAML.length + 30]) {
      await writeFile(file, SECOND.slice(0, length));
      await watch.looks(1);
    }
    await writeFile(file, SECOND);
    await watch.looks(3);
    expect(watch.taken()).toEqual([]);
    expect(watch.logged).toEqual([]);
  });

  test("is seen where an editor renames it, and where a ConfigMap's link is put elsewhere", async () => {
    const watch = await watching();
    await writeFile(join(folder, "new"), SECOND);
    await rename(join(folder, "new"), file);
    await watch.looks(2);
    await mkdir(join(folder, "..data_2"));
    await writeFile(join(folder, "..data_2", "rotation.yaml"), YAML);
    await symlink("..data_2", join(folder, "..data"));
    await symlink("..data/rotation.yaml", join(folder, "link"));
    await rename(join(folder, "link"), file);
    await watch.looks(2);
    expect(watch.taken()).toEqual([["payments-api", "search-api"], ["payments-api"]]);
  });

  test("within a minute is seen even where its size and times say nothing", async () => {
    const watch = await watching();
    const { atime, mtime } = await stat(file);
    await watch.looks(3);
    await writeFile(file, YAML.replace("after: 1h", "after: 3h"));
    await utimes(file, atime, mtime);
    await watch.looks(61);
    expect(watch.logged).toEqual(["info: the policy is reloaded: changes payments-api"]);
  });

  test("in comments only concerns no key", async () => {
    const watch = await watching();
    await writeFile(file, `${YAML}# the end\n`);
    await watch.looks(2);
    expect(watch.logged).toEqual(["info: the policy is reloaded: no key is concerned"]);
  });
});

describe("a file that is refused", () => {
  const INVALID = YAML.replace("consumers: none", "consumers: nobody").replace("after: 1h", "after: soon");
  const REFUSED = "error: the policy file is refused; the policy of 2027-03-10T12:00:00.000Z stays in force";

  test("leaves the old policy in force, and says once what is wrong with it and where", async () => {
    const watch = await watching();
    await writeFile(file, INVALID);
    await watch.looks(90);
    expect(watch.taken()).toEqual([]);
    expect(watch.logged).toEqual([
      REFUSED,
      expect.stringMatching(/^error: \/rotation\.yaml:12:16 {2}keys\[0\]\.consumers: found "nobody"/),
      expect.stringMatching(/^error: \/rotation\.yaml:13:22 {2}keys\[0\]\.retire\.after: found "soon"/),
    ]);
    expect(watch.loaded).toEqual([
      [true],
      [false, expect.stringMatching(/^the policy file is refused \(.*stays in force$/)],
    ]);
    await writeFile(file, YAML);
    await watch.looks(2);
    expect(watch.logged.slice(3)).toEqual(["info: the policy file says what is in force"]);
    expect(watch.loaded.at(-1)).toEqual([true]);
  });

  test("that is gone, or no text, leaves the old policy in force", async () => {
    const watch = await watching();
    await rm(file);
    await watch.looks(3);
    await writeFile(file, Buffer.from([0xff, 0xfe]));
    await watch.looks(3);
    expect(watch.logged).toEqual([
      REFUSED,
      "error: /rotation.yaml  there is no such file",
      REFUSED,
      "error: /rotation.yaml  the file is no text in UTF-8",
    ]);
    expect(watch.loaded.at(-1)?.[0]).toBe(false);
  });

  test.for([
    ["installation", YAML.replace("version: 1", "version: 1\ninstallation: other"), "2:1"],
    ["journal", `${YAML}journal: { type: sqlite, path: ./elsewhere.db }\n`, "14:1"],
    ["server.port", YAML.replace("port: 8080", "port: 9090"), "6:11"],
    ["server.address", YAML.replace("port: 8080", "port: 8080, address: 0.0.0.0"), "6:23"],
    ["server", YAML.replace("server: { port: 8080 }\n", ""), "1:1"],
  ] as const)("because %s cannot change while the worker runs says so", async ([path, text, at]) => {
    const watch = await watching();
    await writeFile(file, text);
    await watch.looks(2);
    expect(watch.taken()).toEqual([]);
    expect(watch.logged).toEqual([
      REFUSED,
      `error: /rotation.yaml:${at}  ${path}: differs from what the worker was started with, and cannot change while it runs`,
    ]);
  });

  test("because a secret stands in it names the place, and not the secret", async () => {
    const watch = await watching();
    const secret = "sk-or-v1-0123456789abcdef0123456789abcdef0123456789abcdef";
    await writeFile(file, YAML.replace("{ env: MANAGEMENT }", secret));
    await watch.looks(2);
    expect(watch.taken()).toEqual([]);
    expect(watch.logged).toEqual([
      REFUSED,
      expect.stringMatching(/^error: \/rotation\.yaml:3:\d+ {2}providers\.openrouter\.managementKey: /),
    ]);
    expect(JSON.stringify([watch.logged, watch.loaded])).not.toContain(secret.slice(9, 25));
  });

  test("by the worker itself leaves the old policy in force", async () => {
    const watch = await watching(YAML, () => {
      throw new RotationError("policy-invalid", "not this one");
    });
    await writeFile(file, SECOND);
    await watch.looks(3);
    expect(watch.logged).toEqual([
      "error: not this one; the policy of 2027-03-10T12:00:00.000Z stays in force",
    ]);
    expect(watch.loaded.at(-1)?.[0]).toBe(false);
  });
});

describe("SIGHUP", () => {
  test("puts the file into force at once, and says so even when nothing has changed", async () => {
    const watch = await watching();
    await watch.hangUp();
    await writeFile(file, SECOND);
    await watch.hangUp();
    expect(watch.logged).toEqual([
      "info: the policy has not changed",
      "info: the policy is reloaded: adds search-api",
    ]);
    await watch.looks(3);
    expect(watch.taken()).toHaveLength(1);
  });

  test("says again why a file is refused", async () => {
    const watch = await watching();
    await writeFile(file, "version: 2\n");
    await watch.looks(2);
    const first = [...watch.logged];
    await watch.looks(5);
    await watch.hangUp();
    expect(watch.logged).toEqual([...first, ...first]);
  });
});

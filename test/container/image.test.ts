import { readFileSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { IMAGE, must, podman, run, start } from "./podman.ts";

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"));

describe("the image", () => {
  test("runs the worker as a user that is not root, told by number", async () => {
    const [{ Config: config }] = JSON.parse(await must("inspect", IMAGE));
    expect(config).toMatchObject({
      User: "1000:1000",
      Entrypoint: ["/usr/local/bin/rotate"],
      Cmd: ["worker"],
      Volumes: { "/data": {} },
      ExposedPorts: { "8080/tcp": {} },
      Labels: {
        "org.opencontainers.image.title": "keyturn",
        "org.opencontainers.image.licenses": "MIT",
        "org.opencontainers.image.version": version,
      },
    });
    expect(Object.keys(config.Labels)).toContain("org.opencontainers.image.description");
  });

  test("has the health of the worker as its own", async () => {
    const check = JSON.parse(await must("image", "inspect", "--format={{json .HealthCheck}}", IMAGE));
    expect(check.Test).toEqual(["CMD", "/usr/local/bin/rotate", "health"]);
  });

  describe("in its files", () => {
    let root: string;
    let files: { path: string; mode: number; uid: number }[];
    beforeAll(async () => {
      root = await must("image", "mount", IMAGE);
      const paths = await readdir(root, { recursive: true });
      files = await Promise.all(
        paths.map(async (path) => {
          const { mode, uid } = await lstat(join(root, path));
          return { path, mode, uid };
        }),
      );
    });
    afterAll(async () => {
      await podman("image", "umount", IMAGE);
    });
    const isLink = (mode: number) => (mode & 0o170000) === 0o120000;
    const paths = (wanted: (file: (typeof files)[number]) => boolean) =>
      files.filter(wanted).map(({ path }) => path);

    test("has no shell, no package manager and no program but Node", () => {
      const programs = paths(
        ({ path }) => /(^|\/)(s?bin)\/[^/]+$/.test(path) && !path.includes("node_modules/"),
      );
      expect(programs.sort()).toEqual(["nodejs/bin/node", "usr/local/bin/keyturn", "usr/local/bin/rotate"]);
    });

    test("has the program without its sources, tests and development dependencies", () => {
      const app = paths(({ path }) => /^app\/[^/]+$/.test(path));
      expect(app.sort()).toEqual([
        "app/LICENSE",
        "app/config",
        "app/dist",
        "app/node_modules",
        "app/package.json",
        "app/rotation.yaml",
      ]);
      const modules = paths(({ path }) => /^app\/node_modules\/(typescript|vitest|node|nock)$/.test(path));
      expect(modules).toEqual([]);
    });

    test("has no native code beside Node's own, so that it is the same on every processor", () => {
      expect(paths(({ path }) => path.startsWith("app/") && /\.(node|so)$/.test(path))).toEqual([]);
    });

    test("has nothing that its user may change but /data and places for temporary files", () => {
      const others = ({ mode }: { mode: number }) => !isLink(mode) && (mode & 0o002) !== 0;
      const changeable = files.filter((file) => file.uid === 1000 || others(file));
      const places = /^(data|tmp|(var|run)\/(tmp|lock))$/;
      expect(changeable.map(({ path }) => path)).toContain("data");
      expect(changeable.filter(({ path }) => !places.test(path))).toEqual([]);
    });

    test("has no program that runs with other rights than its caller's", () => {
      expect(paths(({ mode }) => (mode & 0o170000) === 0o100000 && (mode & 0o6000) !== 0)).toEqual([]);
    });
  });
});

describe("with a file system that cannot be written, no capabilities and no network", () => {
  test("it says its version", async () => {
    expect(await run([], "--version")).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  test("its demo rotates a key under traffic, given a place for temporary files", async () => {
    const { status, stdout } = await run(["--tmpfs=/tmp"], "demo");
    expect(stdout).toContain("payments-api was rotated under live traffic and no request failed.");
    expect(status).toBe(0);
  });

  test("its demo says what it lacks without one", async () => {
    const { status, stderr } = await run([], "demo");
    expect(stderr).toContain("--tmpfs /tmp");
    expect(status).toBe(1);
  });

  test("it reads nothing outside its folders, whatever a user's NODE_OPTIONS are", async () => {
    for (const options of ["", "--max-old-space-size=64"]) {
      const { status, stderr } = await run(
        [`--env=NODE_OPTIONS=${options}`],
        "validate",
        "--policy",
        "/usr/share/policy.yaml",
      );
      expect(stderr).toContain("KEYTURN_ALLOW_READ=/usr/share/policy.yaml");
      expect(status).toBe(2);
    }
  });

  test("a command that takes no signals ends by SIGTERM all the same, although it is PID 1", async () => {
    await using waiting = await start(["--interactive"], "identify", "--policy", "/app/rotation.yaml");
    while (await waiting.isRunning()) await waiting.signal("TERM");
    expect(await must("inspect", "--format={{.State.ExitCode}}", waiting.id)).toBe("143");
  });
});

import { describe, expect, test } from "vitest";
import { confirms } from "../../../src/probes/probe.ts";
import { until } from "./cluster.ts";
import { asked, lines, NEW, OLD, openShop, RESOURCES, type Shop } from "./shop.ts";

/** Writes the new key and restarts the workload, as a rotation does. */
async function renew(shop: Shop, kind = "deployment"): Promise<void> {
  await shop.write(NEW);
  await shop.reload({ restart: `${kind}/payments` });
}

/** Sweeps until one confirms; gives the first line of every sweep, each once. */
async function sweepUntilConfirmed(shop: Shop, kind = "deployment"): Promise<string[]> {
  const said: string[] = [];
  await until("a confirmation", async () => {
    const sweep = await shop.look(kind);
    const [line = ""] = lines(sweep);
    if (said.at(-1) !== line) said.push(line);
    return confirms(sweep);
  });
  return said;
}

describe.each(Object.keys(RESOURCES))("the rollout of a %s, by its real controller,", (kind) => {
  test("confirms when every pod has come after the new key, and not before", async () => {
    await using shop = await openShop();
    await shop.run(kind);
    expect(lines(await shop.look(kind))[0]).toMatch(/^\w+\/payments other: .*no stamp of payments-api/);
    const before = new Set((await shop.pods()).map(({ metadata }) => metadata.uid));
    await renew(shop, kind);
    expect((await sweepUntilConfirmed(shop, kind)).at(-1)).toMatch(
      /^\w+\/payments confirms: (\d) of \1 pods are new/,
    );
    expect((await shop.pods()).filter(({ metadata }) => before.has(metadata.uid))).toEqual([]);
    await shop.write(OLD);
    expect(lines(await shop.look(kind))[0]).toMatch(/ other: .* does not carry the expected key/);
  });

  test("does not confirm while an old pod is still terminating", async () => {
    const old = new Set<string | undefined>();
    await using shop = await openShop({ lingers: ({ metadata }) => old.has(metadata.uid) });
    await shop.run(kind);
    for (const { metadata } of await shop.pods()) old.add(metadata.uid);
    await renew(shop, kind);
    await until("an old pod that ends", async () =>
      (await shop.pods()).some(({ metadata }) => old.has(metadata.uid) && metadata.deletionTimestamp),
    );
    // The others replace a pod only when the old one is gone: their rollout has to wait for it.
    if (kind === "deployment") await shop.complete();
    expect(confirms(await shop.look(kind))).toBe(false);
    old.clear();
    await sweepUntilConfirmed(shop, kind);
  });
});

describe("a Deployment, by its real controller,", () => {
  test("confirms when it is scaled to zero on purpose, and says so", async () => {
    await using shop = await openShop();
    await shop.run("deployment", { replicas: 0 });
    await renew(shop);
    expect((await sweepUntilConfirmed(shop)).at(-1)).toMatch(/ confirms: scaled to zero on purpose/);
  });

  test("does not confirm by pods that were there before the Secret had the key", async () => {
    await using shop = await openShop();
    await shop.run();
    await shop.patch({
      spec: { template: { metadata: { annotations: { "key.keyturn.dev/payments-api": asked.hash } } } },
    });
    await shop.complete();
    await shop.write(NEW);
    const sweep = await shop.look();
    expect(confirms(sweep)).toBe(false);
    expect(lines(sweep).filter((line) => line.includes("not after its Secret was changed"))).toHaveLength(2);
  });

  test("whose new pods cannot start never confirms, and is given up by the cluster in its own words", async () => {
    await using shop = await openShop();
    await shop.run("deployment", { progressDeadlineSeconds: 2 });
    const before = (await shop.pods()).map(({ metadata }) => metadata.uid);
    shop.hooks.stuck = ({ metadata }) => (before.includes(metadata.uid) ? undefined : "ImagePullBackOff");
    await renew(shop);
    const line = await until("the deadline", async () =>
      lines(await shop.look()).find((one) => one.includes("ProgressDeadlineExceeded")),
    );
    expect(line).toMatch(
      /^deployment\/payments unwell: .*ProgressDeadlineExceeded: ReplicaSet .* has timed out progressing\./,
    );
    expect(lines(await shop.look())).toContainEqual("pod unwell: ImagePullBackOff");
  });

  test("that is paused is unwell, and is not restarted", async () => {
    await using shop = await openShop();
    await shop.run();
    await shop.write(NEW);
    await shop.patch({ spec: { paused: true } });
    await expect(shop.reload({ restart: "deployment/payments" })).rejects.toMatchObject({
      code: "unusable",
      message: expect.stringContaining("paused"),
    });
    expect(lines(await shop.look())[0]).toMatch(/^deployment\/payments unwell: .*paused/);
  });

  test("with a pod that is not ready is unwell", async () => {
    await using shop = await openShop();
    await shop.run();
    const [pod] = await shop.pods();
    shop.hooks.ready = ({ metadata }) => metadata.uid !== pod?.metadata.uid;
    const line = await until("the unready pod to count", async () =>
      lines(await shop.look()).find((one) => one.includes("1 available")),
    );
    expect(line).toMatch(/^deployment\/payments unwell: .*2 of 2 pods are new, 1 available/);
  });
});

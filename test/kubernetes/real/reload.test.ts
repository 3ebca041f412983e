import { beforeAll, describe, expect, test } from "vitest";
import { EXTERNAL_SECRETS, type KubeObject } from "../../../src/kubernetes/api.ts";
import { pathOf } from "../../../src/kubernetes/call.ts";
import { admin, installExternalSecrets, must, until } from "./cluster.ts";
import { asked, NEW, OLD, openShop, RESOURCES, type Shop } from "./shop.ts";

describe.each(Object.keys(RESOURCES))("a restart of a real %s", (kind) => {
  test("is stamped once for one key, whoever repeats it, and again for another", async () => {
    await using shop = await openShop();
    await shop.run(kind);
    await shop.write(NEW);
    const restart = { restart: `${kind}/payments` };
    const before = (await shop.get(kind)).metadata.generation ?? 0;
    await Promise.all([shop.reload(restart), shop.reload(restart)]);
    await shop.reload(restart);
    const { metadata, spec } = await shop.get(kind);
    expect(metadata.generation).toBe(before + 1);
    expect(spec.template.metadata.annotations).toEqual({
      "key.keyturn.dev/payments-api": asked.hash,
      "rotation.keyturn.dev/payments-api": "r1",
    });
    await shop.write(OLD);
    const { fingerprint, outgoing } = asked;
    const back = { ...asked, hash: "0ld", fingerprint: outgoing[0] ?? "", outgoing: [fingerprint] };
    await shop.reload(restart, back);
    expect((await shop.get(kind)).spec.template.metadata.annotations).toMatchObject({
      "key.keyturn.dev/payments-api": "0ld",
    });
  });

  test("is kept by the controllers in the pods that they make", async () => {
    await using shop = await openShop();
    await shop.run(kind);
    await shop.write(NEW);
    await shop.reload({ restart: `${kind}/payments` });
    await until("pods with the stamp", async () =>
      (await shop.pods()).every(
        ({ metadata }) => metadata.annotations?.["key.keyturn.dev/payments-api"] === asked.hash,
      ),
    );
  });
});

describe("an ExternalSecret, as External Secrets defines it,", () => {
  beforeAll(() => installExternalSecrets());

  const SYNC = { sync: "externalsecret/payments" };
  const make = ({ namespace }: Shop) =>
    admin.create<KubeObject>(EXTERNAL_SECRETS, namespace, {
      metadata: { name: "payments" },
      spec: {
        refreshInterval: "1h",
        secretStoreRef: { name: "vault", kind: "SecretStore" },
        target: { name: "payments-env" },
        data: [{ secretKey: "KEY", remoteRef: { key: "payments" } }],
      },
    } as KubeObject);
  const say = ({ namespace }: Shop, condition: object) =>
    must({
      method: "PATCH",
      path: `${pathOf(EXTERNAL_SECRETS, namespace, "payments")}/status`,
      body: {
        status: { conditions: [{ type: "Ready", lastTransitionTime: "2026-11-21T03:15:00Z", ...condition }] },
      },
    });
  /** Waits for its annotation, as its controller does. */
  const told = ({ namespace }: Shop) =>
    until("a refresh that is asked for", async () => {
      const found = await admin.get<KubeObject>(EXTERNAL_SECRETS, namespace, "payments");
      return found?.metadata.annotations?.["force-sync"];
    });

  test("is told to refresh, its Secret is waited for, and the restart comes after", async () => {
    await using shop = await openShop();
    await shop.run();
    await make(shop);
    const KEY = { secret: "payments-env", entry: "KEY" };
    await shop.write(OLD, KEY);
    const before = (await shop.get()).metadata.generation;
    const reloaded = shop.reload({ ...SYNC, restart: "deployment/payments" });
    await told(shop);
    expect((await shop.get()).metadata.generation).toBe(before);
    await shop.write(NEW, KEY);
    await say(shop, { status: "True", reason: "SecretSynced" });
    await reloaded;
    expect((await shop.get()).spec.template.metadata.annotations).toMatchObject({
      "key.keyturn.dev/payments-api": asked.hash,
    });
  });

  test("in error is reported in its own words", async () => {
    await using shop = await openShop();
    await make(shop);
    await shop.write(OLD, { secret: "payments-env", entry: "KEY" });
    await say(shop, {
      status: "False",
      reason: "SecretSyncedError",
      message: "could not get secret data from provider",
    });
    await expect(shop.reload(SYNC)).rejects.toMatchObject({
      code: "unusable",
      message: expect.stringContaining("SecretSyncedError: could not get secret data from provider"),
    });
  });

  test("that is not there is named", async () => {
    await using shop = await openShop();
    await expect(shop.reload(SYNC)).rejects.toMatchObject({
      code: "absent",
      message: expect.stringContaining("payments"),
    });
  });
});

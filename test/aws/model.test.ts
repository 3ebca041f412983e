import type {
  CreateSecretCommandInput,
  PutSecretValueCommandInput,
  SecretsManager,
} from "@aws-sdk/client-secrets-manager";
import { beforeEach, describe, expect, it } from "vitest";
import { virtualClock } from "../providers/virtual-clock.ts";
import { SecretsManagerModel } from "./model.ts";
import { inProcessClient } from "./serve.ts";

const DAY = 24 * 3_600_000;

describe("the model does what AWS documents", () => {
  let clock: ReturnType<typeof virtualClock>;
  let model: SecretsManagerModel;
  let aws: SecretsManager;
  let puts = 0;
  beforeEach(() => {
    clock = virtualClock();
    model = new SecretsManagerModel({ clock });
    aws = inProcessClient(model);
  });

  const SecretId = "s";
  const create = (more: Partial<CreateSecretCommandInput> = {}) =>
    aws.createSecret({ Name: SecretId, ...more });
  const put = (SecretString: string, more: Partial<PutSecretValueCommandInput> = {}) =>
    aws.putSecretValue({
      SecretId,
      SecretString,
      ClientRequestToken: `put-${String(++puts).padStart(32, "0")}`,
      ...more,
    });
  const stages = async () => (await aws.describeSecret({ SecretId })).VersionIdsToStages ?? {};
  const value = async (VersionStage: string) =>
    (await aws.getSecretValue({ SecretId, VersionStage })).SecretString;
  const move = (VersionStage: string, MoveToVersionId?: string, RemoveFromVersionId?: string) =>
    aws.updateSecretVersionStage({ SecretId, VersionStage, MoveToVersionId, RemoveFromVersionId });

  it("makes the first version current whatever is asked", async () => {
    await create();
    expect(await stages()).toEqual({});
    const { VersionStages } = await put("a", { VersionStages: ["MINE"] });
    expect(VersionStages?.sort()).toEqual(["AWSCURRENT", "MINE"]);
  });

  it("takes a put without labels for a promotion, and AWSPREVIOUS follows", async () => {
    await create({ SecretString: "a" });
    await put("b");
    await put("c");
    expect([await value("AWSCURRENT"), await value("AWSPREVIOUS")]).toEqual(["c", "b"]);
    expect(
      Object.values(await stages())
        .flat()
        .sort(),
    ).toEqual(["AWSCURRENT", "AWSPREVIOUS"]);
  });

  it("does nothing for the same token with the same content, and fails for another", async () => {
    await create({ SecretString: "a" });
    const ClientRequestToken = "t".repeat(32);
    await put("b", { ClientRequestToken, VersionStages: ["MINE"] });
    const before = await stages();
    await put("b", { ClientRequestToken });
    expect(await stages()).toEqual(before);
    await expect(put("c", { ClientRequestToken, VersionStages: ["MINE"] })).rejects.toMatchObject({
      name: "ResourceExistsException",
    });
    expect(await value("MINE")).toBe("b");
  });

  it("moves a label only from the version that has it, or changes nothing", async () => {
    await create({ SecretString: "a" });
    const [old = ""] = Object.keys(await stages());
    const { VersionId: next = "" } = await put("b", { VersionStages: ["MINE"] });
    const before = await stages();
    const nobody = "0".repeat(36);
    for (const attempt of [
      () => move("AWSCURRENT", next),
      () => move("AWSCURRENT", next, next),
      () => move("AWSCURRENT", nobody, old),
      () => move("AWSCURRENT", undefined, old),
      () => move("MINE", undefined, old),
      () => move("MINE"),
    ]) {
      await expect(attempt()).rejects.toMatchObject({
        name: expect.stringMatching(/^(InvalidParameter|ResourceNotFound)Exception$/),
      });
      expect(await stages()).toEqual(before);
    }
    await move("AWSCURRENT", next, old);
    expect([await value("AWSCURRENT"), await value("AWSPREVIOUS")]).toEqual(["b", "a"]);
    await move("AWSCURRENT", old, next);
    expect([await value("AWSCURRENT"), await value("AWSPREVIOUS")]).toEqual(["a", "b"]);
  });

  it("takes a label away from whichever version has it when a put names it", async () => {
    await create({ SecretString: "a" });
    const { VersionId: first = "" } = await put("b", { VersionStages: ["AWSPENDING"] });
    await put("c", { VersionStages: ["AWSPENDING"] });
    expect(await value("AWSPENDING")).toBe("c");
    expect(await stages()).not.toHaveProperty(first);
    expect((await aws.getSecretValue({ SecretId, VersionId: first })).VersionStages).toEqual([]);
  });

  it("refuses everything but looking and restoring while a secret is scheduled for deletion", async () => {
    await create({ SecretString: "a" });
    await aws.deleteSecret({ SecretId });
    for (const attempt of [() => put("b"), () => value("AWSCURRENT"), () => create()])
      await expect(attempt()).rejects.toMatchObject({ name: "InvalidRequestException" });
    expect((await aws.describeSecret({ SecretId })).DeletedDate).toEqual(new Date(clock.now() + 30 * DAY));
    await aws.restoreSecret({ SecretId });
    expect(await value("AWSCURRENT")).toBe("a");
  });

  it("has limits of size, versions, labels and tokens", async () => {
    await create({ SecretString: "x".repeat(65_536) });
    const full = { name: "LimitExceededException" };
    await expect(put("x".repeat(65_537))).rejects.toMatchObject({ name: "ValidationException" });
    await expect(put("x", { ClientRequestToken: "short" })).rejects.toMatchObject({
      name: "ValidationException",
    });
    await expect(put("x", { VersionStages: ["L".repeat(257)] })).rejects.toMatchObject({
      name: "ValidationException",
    });
    const labels = Array.from({ length: 20 }, (_, n) => `L${n}`);
    await expect(put("x", { VersionStages: labels })).rejects.toMatchObject(full);
    await put("x", { VersionStages: labels.slice(0, 19) });
    for (let n = 2; n < 100; n += 1) await put(`v${n}`, { VersionStages: ["L0"] });
    await expect(put("one too many", { VersionStages: ["L0"] })).rejects.toMatchObject(full);
    await clock.sleep(DAY);
    await put("another day", { VersionStages: ["L0"] });
    expect(await value("AWSCURRENT")).toHaveLength(65_536);
  });

  it("reads lag behind by a knob, each call as far as it is told", async () => {
    await create({ SecretString: "a" });
    await clock.sleep(1_000);
    await put("b");
    model.knobs.getLag = 500;
    expect(await value("AWSCURRENT")).toBe("a");
    model.knobs.describeLag = 500;
    expect(Object.values(await stages())).toEqual([["AWSCURRENT"]]);
    await clock.sleep(500);
    expect(await value("AWSCURRENT")).toBe("b");
  });
});

import nock from "nock";
import { afterEach, beforeEach, expect, it } from "vitest";
import { checkProvider } from "../../../src/commands/online/provider.ts";
import { Secret } from "../../../src/lib/secret.ts";
import { openRouter } from "../../providers/open-router.ts";

beforeEach(() => nock.disableNetConnect());
afterEach(() => {
  nock.cleanAll();
  nock.enableNetConnect();
});

const MINUTE = 60_000;
const HOST = "https://openrouter.ai";

/** The checks as text. */
async function checks(workspaces: string[] = []): Promise<string> {
  const config = { managementKey: { env: "OPENROUTER_MANAGEMENT_KEY" } };
  const found = await checkProvider(openRouter("mk"), config, workspaces, async () => new Secret("mk"));
  return found
    .map(({ check, result, says, hint = "" }) => `${result} ${check}: ${says} ${hint}`.trim())
    .join("\n");
}

it.each([
  [20, "behind"],
  [-20, "ahead of"],
])(
  "a clock that is %i minutes from the provider's fails, with the way it is wrong",
  async (minutes, says) => {
    const date = new Date(Date.now() + minutes * MINUTE).toUTCString();
    nock(HOST).get("/api/v1/keys").query(true).reply(200, { data: [] }, { date });
    // The header counts whole seconds.
    const about = "(20m|20m \\ds|19m 5\\ds)";
    expect(await checks()).toMatch(
      new RegExp(`failed clock: ${about} ${says} the provider's: nothing is created or deleted`),
    );
  },
);

it("a clock that cannot be compared is noted", async () => {
  nock(HOST).get("/api/v1/keys").query(true).reply(200, { data: [] });
  expect(await checks()).toContain("noted clock: not checked");
});

it("the management key is tried in each workspace that keys are issued in", async () => {
  nock(HOST)
    .get("/api/v1/keys")
    .query((query) => !query.workspace_id)
    .reply(200, { data: [] });
  nock(HOST)
    .get("/api/v1/keys")
    .query((query) => query.workspace_id === "ws-1")
    .reply(403, { error: { code: 403, message: "no access to this workspace" } });
  nock(HOST)
    .get("/api/v1/key")
    .reply(200, { data: { label: "sk-…", is_management_key: true } });
  expect(await checks(["ws-1"])).toContain("no access to this workspace");
});

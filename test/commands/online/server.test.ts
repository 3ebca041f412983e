import { expect, test } from "vitest";
import { checkServer } from "../../../src/commands/online/server.ts";
import { secretReader } from "../../../src/lib/secret-source.ts";

test.each([
  ["a-token-of-24-characters", { result: "passed", says: "can be read" }],
  ["1234", { result: "failed", says: "it is shorter than 16 characters" }],
])("the status page's token %j is judged as the worker judges it", async (text, verdict) => {
  const server = { address: "127.0.0.1", port: 0, token: { env: "PAGE_TOKEN" } };
  const { checks } = await checkServer(server, secretReader({ PAGE_TOKEN: text }));
  expect(checks[1]).toMatchObject({ check: "token", ...verdict });
});

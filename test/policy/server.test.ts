import { expect, test } from "vitest";
import { complaint, load, policyText } from "./setup.ts";

const serving = (server: string) => policyText({ top: `server: { ${server} }` });

test("the token of the status page is read from a variable, or from a file that starts at the policy's folder", async () => {
  expect((await load(serving("token: { env: PAGE_TOKEN }"))).policy.server).toEqual({
    address: "127.0.0.1",
    port: 8080,
    token: { env: "PAGE_TOKEN" },
  });
  const { policy } = await load(serving("token: { file: ./token }"));
  expect(policy.server?.token).toEqual({ file: expect.stringMatching(/^\/.*\/token$/) });
});

test("a token that is written into the policy is refused, and not shown", async () => {
  const said = await complaint(serving("token: hunter2-hunter2"));
  expect(said).toContain("server.token");
  expect(said).not.toContain("hunter2");
});

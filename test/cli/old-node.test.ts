import { expect, it } from "vitest";
import { CLI, rotate } from "./run.ts";

/** Makes Node say that it is an older one, before the command is loaded. */
const PRETEND = `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"22.11.0"}})`;

it("says on an older Node, in one sentence, which line works", async () => {
  const ran = await rotate(["--now", "payments-api", "--policy", "my policy.yaml"], {
    node: ["--import", PRETEND],
  });
  expect(ran).toEqual({
    status: 2,
    stdout: "",
    stderr: `rotate: keyturn needs Node 24 or newer and this is Node 22.11.0; run: npx -y node@24 ${CLI} --now payments-api --policy 'my policy.yaml'\n`,
  });
});

import { createServer, type Server } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { confirms } from "../../../src/probes/probe.ts";
import { contract, NEW_KEY, OLD_KEY } from "../../probes/support.ts";
import { until } from "./cluster.ts";
import type { Pod } from "./kubelet.ts";
import { lines, openShop } from "./shop.ts";

/** Pods whose process answers by the contract, each on a loopback address of its own and all on one port. */
async function answeringPods(serving: (pod: Pod) => string) {
  const servers: Server[] = [];
  let port = 0;
  onTestFinished(() => {
    for (const server of servers) server.close();
  });
  const start = async (pod: Pod) => {
    const server = createServer((_, response) => response.end(contract(serving(pod))));
    servers.push(server);
    const ip = `127.0.0.${servers.length + 10}`;
    await new Promise<void>((resolve) => server.listen(port, ip, resolve));
    port = (server.address() as { port: number }).port;
    return ip;
  };
  return { start, port: () => port };
}

test("every pod of a real Deployment is asked by its own address, terminating and unready ones included", async () => {
  let stale = "";
  const { start, port } = await answeringPods(({ metadata }) => (metadata.uid === stale ? OLD_KEY : NEW_KEY));
  // One after the other, so that the first chooses the port of all.
  let last: Promise<string> = Promise.resolve("");
  await using shop = await openShop({
    start: (pod) => {
      last = last.then(() => start(pod));
      return last;
    },
    lingers: ({ metadata }) => metadata.uid === stale,
  });
  await shop.run();
  const probe = () => shop.probe({ pods: { selector: "app=payments", port: port(), path: "/healthz" } });
  expect(confirms(await probe())).toBe(true);

  const [first] = await shop.pods();
  stale = first?.metadata.uid ?? "";
  shop.hooks.ready = ({ metadata }) => metadata.uid !== stale;
  await shop.patch({ spec: { template: { metadata: { annotations: { "example/restart": "1" } } } } });
  await until("only new pods beside the one that lingers", async () => {
    const pods = await shop.pods();
    return pods.length === 3 && pods.every(({ status }) => status.podIP) && pods;
  });
  await until("its end to be asked for", async () =>
    (await shop.pods()).some(({ metadata }) => metadata.uid === stale && metadata.deletionTimestamp),
  );
  const sweep = await until("three answers", async () => {
    const seen = await probe();
    return seen.instances.length === 3 && seen;
  });
  expect(lines(sweep).filter((line) => line.startsWith("pod confirms"))).toHaveLength(2);
  expect(lines(sweep).filter((line) => /^pod other: still serves sha256:/.test(line))).toHaveLength(1);

  stale = "";
  await until("the last old pod to be gone", async () => (await probe()).instances.length === 2);
  expect(confirms(await probe())).toBe(true);
});

test("no pod at all is a problem", async () => {
  await using shop = await openShop();
  const sweep = await shop.probe({ pods: { selector: "app=nobody", port: 8080, path: "/healthz" } });
  expect(lines(sweep)).toEqual([`problem: no pod in namespace ${shop.namespace} matches app=nobody`]);
});

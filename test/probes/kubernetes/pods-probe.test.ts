import { describe, expect, test } from "vitest";
import { DEPLOYMENTS } from "../../../src/kubernetes/api.ts";
import { Secret } from "../../../src/lib/secret.ts";
import { confirms, membership } from "../../../src/probes/probe.ts";
import { serverError } from "../../kubernetes/model/faults.ts";
import type { Pod } from "../../kubernetes/model/workloads.ts";
import { contract, NEW_KEY, OLD_KEY, saying, serve } from "../support.ts";
import { type Cluster, cluster, lines } from "./cluster.ts";

const said = contract(NEW_KEY);

/** A cluster with one pod at each of these addresses. */
function pods(...addresses: string[]): { world: Cluster; pods: Pod[]; add: (ip: string) => Pod } {
  const world = cluster();
  const { workloads } = world;
  workloads.create(DEPLOYMENTS, "payments", { replicas: addresses.length });
  workloads.observe(DEPLOYMENTS, "payments");
  const add = (ip: string) => workloads.start(DEPLOYMENTS, "payments", { ip });
  return { world, pods: addresses.map(add), add };
}

const probing = (port: number, more: object = {}, rest: object = {}) => ({
  pods: { selector: "app=payments", port, path: "/healthz", ...more },
  ...rest,
});

test("every pod is asked by its own address, and known by its name and uid", async () => {
  const port = await saying(said, 200, "127.0.0.2");
  await saying(contract(OLD_KEY), 200, "127.0.0.3", port);
  const { world, pods: made } = pods("127.0.0.2", "127.0.0.3");
  const sweep = await world.probe(probing(port));
  expect(sweep).toEqual({
    consumer: "payments",
    instances: [
      expect.objectContaining({ verdict: "confirms", serving: NEW_KEY }),
      expect.objectContaining({ verdict: "other", detail: expect.stringMatching(/^still serves sha256:/) }),
    ],
  });
  const names = made.map(({ metadata }) => `${metadata.name} (${metadata.uid?.slice(0, 8)})`);
  expect(sweep.instances.map(({ instance }) => instance)).toEqual(names);
});

test("IPv6 addresses are asked too", async () => {
  const port = await saying(said, 200, "::1");
  const { world } = pods("::1");
  expect(confirms(await world.probe(probing(port)))).toBe(true);
});

test("path, headers, token and expectation are the policy's", async () => {
  let seen = "";
  const port = await serve((request, response) => {
    seen = `${request.method} ${request.url} ${request.headers["x-probe"]} ${request.headers.authorization}`;
    response.end(JSON.stringify({ llm: { key: NEW_KEY } }));
  }, "127.0.0.2");
  const { world } = pods("127.0.0.2");
  world.parts.readSecret = async () => new Secret("t0ken");
  const policy = probing(
    port,
    { path: "/status?full=1", headers: { "X-Probe": "keyturn" }, auth: { bearer: { env: "TOKEN" } } },
    { expect: { json: { "/llm/key": "{fingerprint}" } } },
  );
  expect(confirms(await world.probe(policy))).toBe(true);
  expect(seen).toBe("GET /status?full=1 keyturn Bearer t0ken");
});

describe("every pod that may still run the key counts", () => {
  test("terminating, unready and crashing ones", async () => {
    const port = await saying(said, 200, "127.0.0.2");
    await saying(contract(OLD_KEY), 200, "127.0.0.3", port);
    const { world, pods: made } = pods("127.0.0.2", "127.0.0.3", "127.0.0.4");
    const [, terminating, crashing] = made as [Pod, Pod, Pod];
    world.workloads.terminate(terminating);
    world.workloads.crash(crashing);
    const sweep = await world.probe(probing(port));
    expect(sweep.instances.map(({ verdict }) => verdict)).toEqual(["confirms", "other", "silent"]);
    world.workloads.finish(terminating);
    expect((await world.probe(probing(port))).instances).toHaveLength(2);
  });

  test("pending ones without an address, which are silent and say why", async () => {
    const port = await saying(said, 200, "127.0.0.2");
    const { world, pods: made } = pods("127.0.0.2", "127.0.0.3");
    world.podStatus(made[1] as Pod, (pod) => {
      pod.status = {
        phase: "Pending",
        conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable" } as never],
      };
    });
    expect(lines(await world.probe(probing(port)))[1]).toMatch(
      / silent: has no address yet \(Unschedulable\)$/,
    );
  });

  test("and finished ones do not", async () => {
    const port = await saying(said, 200, "127.0.0.2");
    const { world, pods: made } = pods("127.0.0.2", "127.0.0.3", "127.0.0.4");
    for (const [index, phase] of ["Running", "Succeeded", "Failed"].entries()) {
      world.podStatus(made[index] as Pod, ({ status }) => {
        status.phase = phase;
      });
    }
    const sweep = await world.probe(probing(port));
    expect(sweep.instances).toHaveLength(1);
    expect(confirms(sweep)).toBe(true);
  });

  test("those that share an address are silent: an answer from there is nobody's for certain", async () => {
    const port = await saying(said, 200, "127.0.0.2");
    const { world } = pods("127.0.0.2", "127.0.0.2");
    const sweep = await world.probe(probing(port));
    expect(lines(sweep)).toEqual([
      expect.stringMatching(/ silent: shares its address with another pod$/),
      expect.stringMatching(/ silent: shares its address with another pod$/),
    ]);
  });

  test("a pod born under the name of one before is another member", async () => {
    const port = await saying(said, 200, "127.0.0.2");
    const { world, pods: made, add } = pods("127.0.0.2");
    const before = await world.probe(probing(port));
    const [old] = made as [Pod];
    world.workloads.terminate(old);
    world.workloads.finish(old);
    const fresh = add("127.0.0.2");
    const after = await world.probe(probing(port));
    expect(fresh.metadata.uid).not.toBe(old.metadata.uid);
    expect(membership(after)).not.toBe(membership(before));
  });
});

describe("a membership that is not known is a problem", () => {
  test("no pod, or fewer than asked for", async () => {
    const { world } = pods();
    expect(lines(await world.probe(probing(80)))).toEqual([
      "problem: no pod in namespace shop matches app=payments",
    ]);
    const port = await saying(said, 200, "127.0.0.2");
    const { world: one } = pods("127.0.0.2");
    expect(lines(await one.probe(probing(port, {}, { instances: 2 })))[0]).toBe(
      "problem: 1 of 2 instances found",
    );
  });

  test("a list that is forbidden, failed or not answered", async () => {
    const { world } = pods("127.0.0.2");
    world.model.deny({ resources: ["pods"], verbs: ["list"] });
    expect(lines(await world.probe(probing(80)))).toEqual([
      expect.stringMatching(/^problem: forbidden: allow list on pods in namespace shop/),
    ]);
    const { world: failing } = pods("127.0.0.2");
    failing.model.once({ verb: "list" }, serverError, 10);
    expect(lines(await failing.probe(probing(80)))).toEqual([
      expect.stringMatching(/^problem: cannot list pods in namespace shop: the API server failed \(500/),
    ]);
    const { world: silent } = pods("127.0.0.2");
    silent.model.once({ verb: "list" }, () => new Promise(() => {}));
    expect(lines(await silent.probe(probing(80)))).toEqual([
      "problem: cannot list pods in namespace shop: no answer within 5s",
    ]);
  });

  test("a namespace without them", async () => {
    const { world } = pods("127.0.0.2");
    expect(lines(await world.probe(probing(80, { namespace: "elsewhere" })))).toEqual([
      "problem: no pod in namespace elsewhere matches app=payments",
    ]);
  });
});

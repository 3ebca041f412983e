import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { parseDuration } from "../../src/policy/duration.ts";
import { type LoadedPolicy, loadPolicy } from "../../src/policy/load.ts";
import { rightsManifest } from "../../src/rights/manifest.ts";
import { neededRights } from "../../src/rights/needed.ts";
import { emptyObjects } from "../../src/rights/objects.ts";
import { expectRestricted } from "./restricted.ts";

const FOLDER = join(import.meta.dirname, "../../config/kubernetes");
const ACCOUNT = { namespace: "keyturn", name: "keyturn" };

// biome-ignore lint/suspicious/noExplicitAny: manifests of any kind; the schemas are checked by .ci/kubernetes-manifests.
type Manifest = any;
const read = (path: string) => readFileSync(join(FOLDER, path), "utf8");
const manifests = (path: string): Manifest[] => parseAllDocuments(read(path)).map((one) => one.toJS());

const [deployment] = manifests("overlays/worker/deployment.yaml");
const [cronJob] = manifests("overlays/cronjob/cronjob.yaml");
const [network] = manifests("base/network-policy.yaml");
const pods: [string, Manifest][] = [
  ["worker", deployment.spec.template.spec],
  ["cronjob", cronJob.spec.jobTemplate.spec.template.spec],
];

describe("the policy in config/kubernetes", () => {
  let loaded: LoadedPolicy;
  beforeAll(async () => {
    loaded = await loadPolicy(join(FOLDER, "base/rotation.yaml"), {});
  });

  it("is valid, with no warning but what a rollout does not prove", () => {
    expect(loaded.warnings.map(({ path }) => path)).toEqual(["keys[0].consumers[0].probe.kubernetes"]);
  });

  it("has exactly the rights in rights.yaml that rotate init --kubernetes-rbac prints for it", () => {
    const objects = emptyObjects(loaded.policy).map(({ object }) => object);
    const printed = rightsManifest(ACCOUNT, neededRights(loaded.policy, ACCOUNT.namespace), objects);
    expect(read("base/rights.yaml")).toBe(printed);
  });

  it.each(pods)("finds the management key where the pod of the %s mounts it", (_name, pod) => {
    const { mountPath } = pod.containers[0].volumeMounts.find(
      ({ name }: Manifest) => name === "management-key",
    );
    expect(loaded.policy.providers.openrouter?.managementKey).toEqual({ file: `${mountPath}/openrouter` });
    expect(read("base/kustomization.yaml")).toContain("--from-file=openrouter=/dev/stdin");
  });

  it("serves health where the probes and the NetworkPolicy expect it", () => {
    const { ports, startupProbe, livenessProbe, readinessProbe } =
      deployment.spec.template.spec.containers[0];
    expect(loaded.policy.server).toEqual({ address: "0.0.0.0", port: ports[0].containerPort });
    expect(network.spec.ingress).toEqual([{ ports: [{ protocol: "TCP", port: ports[0].containerPort }] }]);
    const asked = [startupProbe, livenessProbe, readinessProbe].map(({ httpGet }: Manifest) => httpGet);
    expect(asked).toEqual(["/healthz", "/healthz", "/readyz"].map((path) => ({ path, port: ports[0].name })));
  });

  it("asks no pod that the NetworkPolicy keeps it from", () => {
    const [toPods] = network.spec.egress;
    const asked = loaded.policy.keys.flatMap(({ consumers }) =>
      consumers === "none" ? [] : consumers.flatMap(({ probe }) => probe.pods ?? []),
    );
    expect(asked).toHaveLength(1);
    const [{ selector, port, namespace = "shop" }] = asked as [(typeof asked)[number]];
    const [label = "", value] = selector.split("=");
    expect(toPods).toEqual({
      to: [
        {
          namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
          podSelector: { matchLabels: { [label]: value } },
        },
      ],
      ports: [{ protocol: "TCP", port }],
    });
  });
});

describe("the pods of config/kubernetes", () => {
  it.each(pods)("of the %s meet the restricted Pod Security Standard", (_name, pod) => {
    expectRestricted(pod);
    expect(pod.securityContext.runAsUser).toBeGreaterThan(0);
    const [namespace] = manifests("base/namespace.yaml");
    expect(namespace.metadata.labels["pod-security.kubernetes.io/enforce"]).toBe("restricted");
  });

  it("are alike but for what they run", () => {
    const common = ([, pod]: [string, Manifest]) => {
      const { restartPolicy: _, containers, ...rest } = pod;
      const [{ args: _a, ports: _p, startupProbe: _s, livenessProbe: _l, readinessProbe: _r, ...container }] =
        containers;
      return { ...rest, container };
    };
    const [worker, job] = pods.map(common);
    expect(worker).toEqual(job);
  });

  it("are the ones that the NetworkPolicy is for", () => {
    const labels = [deployment.spec.template, cronJob.spec.jobTemplate.spec.template].map(
      ({ metadata }: Manifest) => metadata.labels,
    );
    for (const one of labels) expect(one).toMatchObject(network.spec.podSelector.matchLabels);
    expect(deployment.spec.selector.matchLabels).toEqual(labels[0]);
  });

  it("of the CronJob end by themselves before the next heartbeat, and before they are ended", () => {
    const { jobTemplate, schedule, concurrencyPolicy } = cronJob.spec;
    const { activeDeadlineSeconds, backoffLimit, template } = jobTemplate.spec;
    const { args } = template.spec.containers[0];
    const pass = parseDuration(args[args.indexOf("--deadline") + 1]) / 1_000;
    expect([schedule, concurrencyPolicy, backoffLimit]).toEqual(["*/10 * * * *", "Forbid", 0]);
    expect(pass + template.spec.terminationGracePeriodSeconds).toBeLessThan(activeDeadlineSeconds);
    expect(activeDeadlineSeconds).toBeLessThan(600);
  });

  it("of the worker are one at a time", () => {
    expect(deployment.spec).toMatchObject({ replicas: 1, strategy: { type: "Recreate" } });
  });
});

describe("the NetworkPolicy of config/kubernetes", () => {
  it("lets nothing through that is not named by port, and keeps to TCP but for DNS", () => {
    expect(network.spec.policyTypes).toEqual(["Ingress", "Egress"]);
    const ports = network.spec.egress.map(({ to, ports }: Manifest) => {
      expect(to.length).toBeGreaterThan(0);
      return ports.map(({ protocol, port }: Manifest) => `${protocol} ${port}`).join(", ");
    });
    expect(ports).toEqual(["TCP 8080", "UDP 53, TCP 53", "TCP 443, TCP 6443", "TCP 443"]);
  });

  it("keeps the cloud's metadata service, and all that is private, from the rule for the providers", () => {
    const providers = network.spec.egress.at(-1).to;
    expect(providers.map(({ ipBlock }: Manifest) => ipBlock)).toEqual([
      {
        cidr: "0.0.0.0/0",
        except: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"],
      },
      { cidr: "::/0", except: ["fc00::/7", "fe80::/10"] },
    ]);
  });
});

describe("what config/kubernetes applies", () => {
  const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".yaml"),
  );
  const objects = files
    .filter((file) => !/(kustomization|rotation)\.yaml$/.test(file))
    .flatMap((file) => manifests(file));

  it("holds no value of a Secret, and none is generated", () => {
    const secrets = objects.filter(({ kind }) => kind === "Secret");
    expect(secrets.length).toBeGreaterThan(0);
    for (const secret of secrets) {
      expect(secret).not.toHaveProperty("data");
      expect(secret).not.toHaveProperty("stringData");
    }
    for (const file of files.filter((name) => name.endsWith("kustomization.yaml")))
      expect(manifests(file)[0]).not.toHaveProperty("secretGenerator");
  });

  it("names the namespace of everything, so that none lands where kubectl happens to be", () => {
    const without = objects.filter(({ kind, metadata }) => kind !== "Namespace" && !metadata.namespace);
    expect(without).toEqual([]);
  });
});

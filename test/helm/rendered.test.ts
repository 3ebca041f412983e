import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectRestricted } from "../manifests/restricted.ts";
import {
  kustomized,
  MATRIX,
  type Manifest,
  matrixArguments,
  objects,
  oneOf,
  POLICY,
  podOf,
  ROOT,
  refusal,
  rendered,
  renderedFor,
  template,
} from "./tools.ts";

/** In an order of their own, and with one name for the policy's ConfigMap: Helm and kustomize make different digests. */
function comparable(all: readonly Manifest[]): Manifest[] {
  const text = JSON.stringify(all).replaceAll(/keyturn-policy-[a-z0-9]{10}"/g, 'keyturn-policy-DIGEST"');
  const id = ({ kind, metadata }: Manifest) => `${kind} ${metadata.namespace} ${metadata.name}`;
  return (JSON.parse(text) as Manifest[]).sort((one, other) => id(one).localeCompare(id(other)));
}

describe("for the default values the chart", () => {
  // What docs/helm.md has people apply beside the release.
  const beside = ["namespace.yaml", "rights.yaml"].flatMap((file) =>
    objects(readFileSync(join(ROOT, "config/kubernetes/base", file), "utf8")),
  );

  it.each([
    ["worker", []],
    ["cronjob", ["mode=cronjob"]],
  ])("renders, with namespace and rights, what the %s overlay does", async (overlay, settings) => {
    const chart = await rendered(...settings);
    expect(comparable([...chart, ...beside])).toEqual(comparable(await kustomized(`overlays/${overlay}`)));
    expect(chart.map(({ kind }) => kind).sort()).toEqual(
      ["ConfigMap", "NetworkPolicy", overlay === "worker" ? "Deployment" : "CronJob"].sort(),
    );
  });

  it("renders nothing without a policy, and says how one is given", async () => {
    expect(await refusal(template([]))).toContain("there is no policy: --set-file policy=rotation.yaml");
  });
});

describe.each(MATRIX)("with the values of ci/%s-values.yaml", (name) => {
  it("every pod meets the restricted Pod Security Standard", async () => {
    expectRestricted(podOf(await template(matrixArguments(name))));
  });

  it("everything is in the release's namespace, bears its labels, and is nothing that keyturn writes", async () => {
    for (const { kind, metadata, data, type } of await template(matrixArguments(name))) {
      expect(metadata).toMatchObject({
        namespace: "keyturn",
        labels: { "app.kubernetes.io/instance": "keyturn" },
      });
      expect(metadata.labels).not.toHaveProperty("keyturn.dev/journal");
      expect(["Secret", "Lease", "Role", "RoleBinding"]).not.toContain(kind);
      expect(type).toBeUndefined();
      if (kind === "ConfigMap") expect(Object.keys(data)).toHaveLength(1);
    }
  });

  it("selectors choose the release's own pods", async () => {
    const all = await template(matrixArguments(name));
    const own = {
      "app.kubernetes.io/name": name === "placed" ? "rotator" : "keyturn",
      "app.kubernetes.io/instance": "keyturn",
    };
    for (const { kind, spec } of all) {
      if (kind === "Deployment") {
        expect(spec.selector.matchLabels).toEqual(own);
        expect(spec.template.metadata.labels).toMatchObject(own);
      }
      if (kind === "NetworkPolicy") expect(spec.podSelector.matchLabels).toEqual(own);
      if (kind === "Service") expect(spec.selector).toEqual(own);
      if (kind === "PodMonitor") expect(spec.selector.matchLabels).toEqual(own);
    }
  });
});

describe("values that cannot be right are refused:", () => {
  const digest = `sha256:${"0".repeat(64)}`;
  it.each([
    ["a misspelt name", ["image.repo=keyturn"], "at '/image': additional properties 'repo' not allowed"],
    ["a misspelt name at the top", ["replica=1"], "additional properties 'replica' not allowed"],
    ["a wrong type", ["replicas=two"], "at '/replicas': got string, want integer"],
    ["an unknown mode", ["mode=daemon"], "at '/mode': value must be one of 'worker', 'cronjob'"],
    ["half a digest", ["image.digest=sha256:1"], "at '/image/digest': 'sha256:1' does not match pattern"],
    [
      "a tag and a digest",
      ["image.tag=v1", `image.digest=${digest}`],
      "image.tag and image.digest are both set: give one",
    ],
    ["two policies", ["existingPolicy=mine"], "policy and existingPolicy are both set"],
    ["root", ["runAs.user=0"], "at '/runAs/user': minimum: got 0, want 1"],
    [
      "a volume that is not restricted",
      ["extraVolumes[0].name=host", "extraVolumes[0].hostPath.path=/"],
      "at '/extraVolumes/0': additional properties 'hostPath' not allowed",
    ],
    ["a deadline without a unit", ["cronjob.deadline=8"], "at '/cronjob/deadline'"],
    [
      "another port than the policy's",
      ["server.port=9090"],
      "server.port is 9090, and in the policy it is 8080",
    ],
    [
      "a pass that would be cut off",
      ["mode=cronjob", "cronjob.deadline=10m"],
      "cronjob.activeDeadlineSeconds is 570, and a pass may take 660 seconds",
    ],
    ...["service", "podMonitor", "prometheusRule", "dashboard"].map((part): [string, string[], string] => [
      `${part} of a CronJob`,
      ["mode=cronjob", `${part}.enabled=true`],
      `${part}.enabled is for the worker`,
    ]),
  ])("%s", async (_what, settings, says) => {
    expect(await refusal(rendered(...settings))).toContain(says);
  });

  it("a policy that is YAML within YAML, for which the text is wanted", async () => {
    expect(await refusal(template(["--set", "policy.version=1"]))).toContain(
      "at '/policy': got object, want string",
    );
  });

  it("a policy that is none", async () => {
    for (const text of ["keys: [", "just text"])
      expect(await refusal(template(["--set-string", `policy=${text}`]))).toContain(
        "policy is not the text of a rotation.yaml",
      );
  });

  it("a journal that would be lost with the pod, unless a volume is mounted", async () => {
    const volume = [
      "extraVolumes[0].name=journal",
      "extraVolumes[0].persistentVolumeClaim.claimName=journal",
      "extraVolumeMounts[0].name=journal",
      "extraVolumeMounts[0].mountPath=/var/lib/keyturn",
    ];
    const journal = { type: "sqlite", path: "/var/lib/keyturn/journal.db" };
    for (const policy of [{ journal: undefined }, { journal }])
      expect(await refusal(renderedFor(policy))).toContain("the policy's journal would be lost with the pod");
    expectRestricted(podOf(await renderedFor({ journal }, ...volume)));
  });

  it.each(["127.0.0.1", "localhost", "::1"])(
    "a server at %s, where the kubelet does not reach it",
    async (address) => {
      expect(await refusal(renderedFor({ server: { address, port: 8080 } }))).toContain(
        "where the kubelet cannot reach it: set 0.0.0.0",
      );
      expect(await renderedFor({ server: { address, port: 8080 } }, "mode=cronjob")).toHaveLength(3);
    },
  );
});

describe("the server's port of the policy", () => {
  it.each([undefined, { port: 8080 }, { address: "0.0.0.0" }])(
    "is that of the image where it is left out: %j",
    async (server) => {
      expect(podOf(await renderedFor({ server })).containers[0].ports[0].containerPort).toBe(8080);
      expect(await refusal(renderedFor({ server }, "server.port=9090"))).toContain(
        "in the policy it is 8080",
      );
    },
  );
});

describe("the NetworkPolicy of the chart", () => {
  const namespaceOf = (name: string) => ({ matchLabels: { "kubernetes.io/metadata.name": name } });
  const asks = (pods: object) => ({ name: "billing", probe: { pods: { path: "/healthz", ...pods } } });
  /** Its rules of egress but for DNS, API server and what is outside. */
  async function toPods(policy: object, ...settings: string[]): Promise<Manifest[]> {
    const network = oneOf(await renderedFor(policy, ...settings), "NetworkPolicy");
    return network.spec.egress.slice(0, -3);
  }
  const stores = { shop: { type: "kubernetes", namespace: "shop" }, files: { type: "file", path: "/data" } };

  it("lets keyturn out to the pods that each probe asks: in the probe's namespace, else the store's, else its own", async () => {
    const keys = [
      { store: { use: "shop" }, consumers: [asks({ selector: "app=billing", port: 8080 })] },
      { store: { use: "shop" }, consumers: [asks({ selector: "app=a", port: 1, namespace: "other" })] },
      { store: { use: "files" }, consumers: [asks({ selector: "app==b , tier = front", port: 2 })] },
      { store: { use: "files" }, consumers: "none" },
      { store: { use: "files" }, consumers: [{ name: "web", probe: { http: "http://web:8080" } }] },
    ];
    const rule = (namespace: string, labels: object, port: number) => ({
      to: [{ namespaceSelector: namespaceOf(namespace), podSelector: { matchLabels: labels } }],
      ports: [{ protocol: "TCP", port }],
    });
    expect(await toPods({ stores, keys })).toEqual([
      rule("shop", { app: "billing" }, 8080),
      rule("other", { app: "a" }, 1),
      rule("keyturn", { app: "b", tier: "front" }, 2),
    ]);
  });

  it("names each pod once, and takes from the policy's defaults what a key leaves out", async () => {
    const defaults = { store: { use: "shop" }, consumers: [asks({ selector: "app=billing", port: 8080 })] };
    expect(await toPods({ stores, defaults, keys: [{ name: "a" }, { name: "b" }] })).toEqual([
      {
        to: [{ namespaceSelector: namespaceOf("shop"), podSelector: { matchLabels: { app: "billing" } } }],
        ports: [{ protocol: "TCP", port: 8080 }],
      },
    ]);
  });

  it.each(["app", "app!=x", "app in (a, b)", "app=a, tier notin (b)", "!app"])(
    "lets keyturn out to every pod of the namespace for the selector %s",
    async (selector) => {
      const keys = [{ store: { use: "shop" }, consumers: [asks({ selector, port: 8080 })] }];
      expect(await toPods({ stores, keys })).toEqual([
        { to: [{ namespaceSelector: namespaceOf("shop") }], ports: [{ protocol: "TCP", port: 8080 }] },
      ]);
    },
  );

  it("does not guess what a variable stands for", async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the policy
    const variable = "${SHOP}";
    const keys = [
      { store: { use: "files" }, consumers: [asks({ selector: "app=a", port: 1, namespace: variable })] },
    ];
    expect(await refusal(renderedFor({ stores, keys }))).toContain("set networkPolicy.toProbedPods to false");
    expect(await toPods({ stores, keys }, "networkPolicy.toProbedPods=false")).toEqual([]);
  });
});

describe("what the values change", () => {
  it("an edited policy starts a new pod, and arrives as it was written", async () => {
    const before = await rendered();
    const after = await template(["--set-file", `policy=${POLICY}`, "--set-literal", `policy=${edited}`]);
    expect(podOf(after).volumes[0]).not.toEqual(podOf(before).volumes[0]);
    const map = oneOf(after, "ConfigMap");
    expect(map.data).toEqual({ "rotation.yaml": edited });
    expect(podOf(after).volumes[0].configMap.name).toBe(map.metadata.name);
  });
  const edited = `  # begins with blanks, and a "quote", a \\ and a {{ brace }}\n${readFileSync(POLICY, "utf8")}\n# é 🔑\n`;

  it("a ConfigMap of one's own is mounted, and none is made", async () => {
    const all = await template(["--set", "existingPolicy=mine"]);
    expect(all.filter(({ kind }) => kind === "ConfigMap")).toEqual([]);
    expect(podOf(all).volumes[0]).toEqual({ name: "policy", configMap: { name: "mine" } });
  });

  it("one entry of the management key's Secret is the file that policies name", async () => {
    const { volumes } = podOf(await rendered("managementKey.existingSecret=llm", "managementKey.key=prod"));
    expect(volumes[1].secret).toEqual({
      secretName: "llm",
      defaultMode: 0o440,
      items: [{ key: "prod", path: "openrouter" }],
    });
  });

  it("users and groups can be left to the cluster", async () => {
    const { securityContext } = podOf(
      await rendered("runAs.user=null", "runAs.group=null", "runAs.fsGroup=null"),
    );
    expect(securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
  });

  it("an image by its content has no tag", async () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const { containers } = podOf(
      await rendered("image.repository=r.example.com/k", `image.digest=${digest}`),
    );
    expect(containers[0].image).toBe(`r.example.com/k@${digest}`);
  });

  it("two releases in one namespace share no name and no pod", async () => {
    const [one, other] = await Promise.all(
      ["eu", "us"].map((release) => template(["--set-file", `policy=${POLICY}`], release)),
    );
    const names = (all: Manifest[] = []) => all.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names(one).filter((name) => names(other).includes(name))).toEqual([]);
    expect(names(one)).toContain("Deployment eu-keyturn");
    const selector = (all: Manifest[] = []) => oneOf(all, "Deployment").spec.selector.matchLabels;
    expect(selector(one)).not.toEqual(selector(other));
  });

  it("a longest release name stays within what Kubernetes takes for a CronJob", async () => {
    const all = await template(["--set-file", `policy=${POLICY}`, "--set", "mode=cronjob"], "r".repeat(53));
    expect(oneOf(all, "CronJob").metadata.name).toHaveLength(52);
  });

  it("alerts and dashboard are those of config/monitoring", async () => {
    const all = await rendered("prometheusRule.enabled=true", "dashboard.enabled=true");
    const monitoring = (file: string) => readFileSync(join(ROOT, "config/monitoring", file), "utf8");
    expect(oneOf(all, "PrometheusRule").spec).toEqual(objects(monitoring("alerts.yaml"))[0]);
    const dashboard = all.find(({ metadata }) => metadata.name === "keyturn-dashboard");
    expect(JSON.parse(dashboard.data["keyturn.json"])).toEqual(JSON.parse(monitoring("dashboard.json")));
  });
});

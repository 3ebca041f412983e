import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { chmod, mkdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../kubernetes/real/cluster.ts";
import { CHART, MATRIX, type Manifest, matrixArguments, POLICY, ROOT } from "./tools.ts";

/** Helm and kubectl against the API server that test/kubernetes/run-real has started; nowhere else. */
const { KEYTURN_TEST_KUBECONFIG, KEYTURN_TEST_KUBE_PROGRAMS = "", KEYTURN_TEST_HELM = "helm" } = process.env;
const here = describe.skipIf(KEYTURN_TEST_KUBECONFIG === undefined);

const folder = mkdtempSync(join(tmpdir(), "keyturn-helm-"));
afterAll(() => rm(folder, { recursive: true }));
const env = {
  ...process.env,
  KUBECONFIG: KEYTURN_TEST_KUBECONFIG,
  HELM_CACHE_HOME: join(folder, "helm/cache"),
  HELM_CONFIG_HOME: join(folder, "helm/config"),
  HELM_DATA_HOME: join(folder, "helm/data"),
  PATH: [join(folder, "bin"), KEYTURN_TEST_KUBE_PROGRAMS, dirname(KEYTURN_TEST_HELM), process.env.PATH].join(
    delimiter,
  ),
};

/** Runs a line as it would be typed in the folder; standard input is a management key. Throws with what was printed. */
function type(line: string): Promise<string> {
  // A pipe, which /dev/stdin can be opened on; Node's own standard input for children is a socket.
  const script = `exec < <(echo sk-management)\n${line}`;
  return new Promise((resolve, reject) => {
    execFile("bash", ["-euo", "pipefail", "-c", script], { cwd: folder, env }, (error, stdout, stderr) =>
      error ? reject(new Error(`${line}\n${stdout}${stderr}`)) : resolve(stdout),
    );
  });
}

/** The commands under a heading of docs/helm.md, but for those that need a pod that runs. */
function commandsOf(heading: string): string[] {
  const page = readFileSync(join(ROOT, "docs/helm.md"), "utf8");
  const section = page.split(/^## /m).find((one) => one.startsWith(`${heading}\n`)) ?? "";
  const lines = [...section.matchAll(/^\$ (.*)$/gm)].map(([, line = ""]) => line);
  if (lines.length === 0) throw new Error(`docs/helm.md has no commands under ${heading}`);
  return lines.filter((line) => !line.includes(" exec "));
}

async function follow(heading: string, choose = (_line: string) => true): Promise<void> {
  for (const line of commandsOf(heading).filter(choose)) await type(line);
}

async function read(what: string): Promise<Manifest> {
  return JSON.parse(await type(`kubectl get ${what} --output json`));
}

/** Waits until the controllers have made a pod; throws with what they say when there is none after a minute. */
async function podIn(namespace: string): Promise<Manifest> {
  const look = () => read(`pods -n ${namespace} -l app.kubernetes.io/instance=keyturn`);
  return until("a pod", async () => (await look()).items[0]).catch(async (error) => {
    throw new Error(`${error.message}\n${await type(`kubectl get events -n ${namespace}`)}`);
  });
}

beforeAll(async () => {
  if (KEYTURN_TEST_KUBECONFIG === undefined) return;
  await mkdir(join(folder, "bin"));
  await symlink(join(ROOT, "config"), join(folder, "config"));
  const rotate = join(folder, "bin/rotate");
  writeFileSync(rotate, `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, "src/cli.ts")}" "$@"\n`);
  await chmod(rotate, 0o755);
});

here("following docs/helm.md, the journal and the keys outlive everything that Helm does:", () => {
  const KEPT = [
    "configmap/keyturn -n keyturn",
    "configmap/keyturn-shop-payments-openrouter-f05e4414de74 -n keyturn",
    "secret/payments-openrouter-keyturn -n shop",
  ];
  const contents = async () =>
    Promise.all(
      KEPT.map(async (what) => {
        const { data, metadata } = await read(what);
        return [data, metadata.labels, metadata.annotations?.["meta.helm.sh/release-name"], metadata.uid];
      }),
    );
  let before: unknown;

  it("an installation, whose pod the restricted namespace admits", async () => {
    writeFileSync(join(folder, "rotation.yaml"), readFileSync(POLICY));
    await type("kubectl create namespace shop");
    await follow("Install");
    const { spec, metadata } = await podIn("keyturn");
    expect(spec.containers[0].image).toBe("registry.example.com/keyturn:0.1.0");
    expect(spec.serviceAccountName).toBe("keyturn");
    expect(metadata.labels["app.kubernetes.io/instance"]).toBe("keyturn");
    for (const what of KEPT)
      await type(`kubectl patch ${what} --field-manager keyturn -p '{"data":{"written":"a2V5dHVybg=="}}'`);
    before = await contents();
    expect(JSON.stringify(before)).toContain("a2V5dHVybg==");
  });

  it("an upgrade with another policy, which a new pod gets, and one with a ConfigMap of one's own", async () => {
    const policy = readFileSync(POLICY, "utf8").replace("0 10 * * 2", "0 11 * * 2");
    writeFileSync(join(folder, "rotation.yaml"), policy);
    const volume = async () => (await read("deployment/keyturn -n keyturn")).spec.template.spec.volumes[0];
    const old = await volume();
    const [last = "", ...first] = commandsOf("Upgrade, and changes of the policy").toReversed();
    for (const line of first.toReversed()) await type(line);
    const { configMap } = await volume();
    expect(configMap).not.toEqual(old.configMap);
    const { data } = await read(`configmap/${configMap.name} -n keyturn`);
    expect(data).toEqual({ "rotation.yaml": policy });
    await type(last);
    expect((await volume()).configMap.name).toBe("rotation");
    expect(await contents()).toEqual(before);
  });

  it("a rollback, and an upgrade by force", async () => {
    await type("helm rollback keyturn 1 --namespace keyturn");
    await type(
      "helm upgrade keyturn config/helm/keyturn --namespace keyturn --reset-then-reuse-values --force-replace --server-side=false",
    );
    expect(await contents()).toEqual(before);
  });

  it("a ServiceAccount with a role, also when the rights are applied again", async () => {
    await follow("Credentials of the cloud");
    await type("kubectl apply -f rights.yaml");
    const { metadata } = await read("serviceaccount/keyturn -n keyturn");
    expect(metadata.annotations["eks.amazonaws.com/role-arn"]).toMatch(/^arn:aws:iam::/);
    expect(await contents()).toEqual(before);
  });

  it("the end of the release", async () => {
    await follow("Uninstall", (line) => line.startsWith("helm"));
    expect((await read("deployments,networkpolicies,cronjobs -n keyturn")).items).toEqual([]);
    expect((await read("roles -n shop")).items).toHaveLength(1);
    expect(await contents()).toEqual(before);
  });

  it("the move from kustomize", async () => {
    await type("kubectl apply -k config/kubernetes/overlays/worker");
    await follow("Moving from kustomize");
    expect(
      (await read("deployment/keyturn -n keyturn")).metadata.labels["app.kubernetes.io/managed-by"],
    ).toBe("Helm");
    expect(await contents()).toEqual(before);
  });

  it("until the rights are deleted by hand", async () => {
    await follow("Uninstall");
    await expect(contents()).rejects.toThrow("not found");
  });
});

here("why the journal is not in the chart:", () => {
  it("Helm marks what it makes, and by force it puts back what the template says", async () => {
    const chart = join(folder, "journal");
    await mkdir(join(chart, "templates"), { recursive: true });
    writeFileSync(join(chart, "Chart.yaml"), "apiVersion: v2\nname: journal\nversion: 1.0.0\n");
    writeFileSync(
      join(chart, "templates/map.yaml"),
      "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: journal }\n",
    );
    await type("helm install journal ./journal --namespace default");
    await type(`kubectl patch configmap journal -n default -p '{"data":{"written":"by keyturn"}}'`);
    const marked = await read("configmap/journal -n default");
    expect(marked.metadata.labels["app.kubernetes.io/managed-by"]).toBe("Helm");
    await type("helm upgrade journal ./journal --namespace default --force-replace --server-side=false");
    expect(await read("configmap/journal -n default")).not.toHaveProperty("data");
  });
});

here("a namespace that enforces the restricted Pod Security Standard", () => {
  beforeAll(async () => {
    const operator = process.env.KEYTURN_TEST_PROMETHEUS_OPERATOR ?? "";
    for (const kind of ["podmonitors", "prometheusrules"])
      await type(
        `kubectl create -f "${operator}/example/prometheus-operator-crd/monitoring.coreos.com_${kind}.yaml"`,
      );
  });

  it.each(MATRIX)("admits the pods of ci/%s-values.yaml", async (name) => {
    const namespace = `keyturn-${randomUUID().slice(0, 8)}`;
    await type(`kubectl create namespace ${namespace}`);
    await type(`kubectl label namespace ${namespace} pod-security.kubernetes.io/enforce=restricted`);
    if (name !== "placed") await type(`kubectl -n ${namespace} create serviceaccount keyturn`);
    const values = matrixArguments(name)
      .map((one) => `'${one}'`)
      .join(" ");
    await type(`helm install keyturn ${CHART} --namespace ${namespace} ${values}`);
    const { items } = await read(`cronjobs -n ${namespace}`);
    if (items.length > 0) await type(`kubectl -n ${namespace} create job --from=cronjob/keyturn keyturn-now`);
    const { spec } = await podIn(namespace);
    expect(spec.containers[0].securityContext.readOnlyRootFilesystem).toBe(true);
    await type(`helm uninstall keyturn --namespace ${namespace}`);
  });
});

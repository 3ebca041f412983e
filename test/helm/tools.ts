import { type ExecFileException, execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";

const run = promisify(execFile);
export const ROOT = join(import.meta.dirname, "../..");
export const CHART = join(ROOT, "config/helm/keyturn");
export const POLICY = join(ROOT, "config/kubernetes/base/rotation.yaml");
/** Programs that .ci/helm has built. */
const HELM = process.env.KEYTURN_TEST_HELM ?? "helm";
const KUSTOMIZE = process.env.KEYTURN_TEST_KUSTOMIZE ?? "kustomize";

// biome-ignore lint/suspicious/noExplicitAny: manifests of any kind; .ci/helm has kubeconform judge their fields.
export type Manifest = any;

/** The value files of the chart's own matrix. */
export const MATRIX = readdirSync(join(CHART, "ci")).map((file) => file.replace("-values.yaml", ""));

/** Arguments for one of them; those without a ConfigMap of their own get the policy of config/kubernetes. */
export function matrixArguments(name: string): string[] {
  const policy = name === "openshift" ? [] : ["--set-file", `policy=${POLICY}`];
  return ["--values", join(CHART, "ci", `${name}-values.yaml`), ...policy];
}

/** Objects that the chart is rendered to; fails with what Helm says. */
export async function template(args: readonly string[], release = "keyturn"): Promise<Manifest[]> {
  return objects((await run(HELM, ["template", release, CHART, "--namespace", "keyturn", ...args])).stdout);
}

/** Objects for the policy of config/kubernetes and these values, as `--set` takes them. */
export function rendered(...settings: string[]): Promise<Manifest[]> {
  return template(["--set-file", `policy=${POLICY}`, ...settings.flatMap((one) => ["--set", one])]);
}

/** Objects for a policy's text. */
export function renderedFor(policy: object, ...settings: string[]): Promise<Manifest[]> {
  const text = JSON.stringify({ journal: { type: "kubernetes", namespace: "keyturn" }, ...policy });
  return template([
    "--set-json",
    `policy=${JSON.stringify(text)}`,
    ...settings.flatMap((one) => ["--set", one]),
  ]);
}

/** What Helm says when it renders nothing. */
export async function refusal(rendering: Promise<unknown>): Promise<string> {
  const error = await rendering.then(
    () => undefined,
    (cause: ExecFileException) => cause,
  );
  if (error === undefined) throw new Error("it was rendered");
  return error.stderr ?? error.message;
}

/** Objects of `kustomize build` of a folder of config/kubernetes. */
export async function kustomized(folder: string): Promise<Manifest[]> {
  return objects((await run(KUSTOMIZE, ["build", join(ROOT, "config/kubernetes", folder)])).stdout);
}

export function objects(yaml: string): Manifest[] {
  return parseAllDocuments(yaml)
    .map((one) => one.toJS())
    .filter((one) => one !== null);
}

/** The pod spec of the one workload among objects. */
export function podOf(all: readonly Manifest[]): Manifest {
  const [workload] = all.filter(({ kind }) => ["Deployment", "CronJob"].includes(kind));
  return (workload.spec.jobTemplate?.spec ?? workload.spec).template.spec;
}

export function oneOf(all: readonly Manifest[], kind: string): Manifest {
  const found = all.filter((one) => one.kind === kind);
  if (found.length !== 1) throw new Error(`${found.length} of kind ${kind}`);
  return found[0];
}

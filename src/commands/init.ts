import { readFile, writeFile } from "node:fs/promises";
import { RotationError } from "../lib/errors.ts";
import { loadPolicy } from "../policy/load.ts";
import { didYouMean } from "../policy/nearest.ts";
import type { Policy } from "../policy/schema.ts";
import { rightsManifest } from "../rights/manifest.ts";
import { type KubeRight, neededRights } from "../rights/needed.ts";
import { emptyObjects } from "../rights/objects.ts";
import type { Globals } from "./context.ts";
import { EXIT } from "./exit.ts";
import { print } from "./print.ts";
import { STARTER_POLICY } from "./shipped.ts";

export interface InitOptions {
  kubernetesRbac?: boolean;
  namespace?: string;
  serviceAccount?: string;
  context?: string;
  output?: string;
}

/** `rotate init`: writes a policy to start from, or prints the rights that a policy needs in Kubernetes. Calls nothing, and overwrites nothing. */
export async function init(globals: Globals, options: InitOptions): Promise<number> {
  const { kubernetesRbac, output, ...ofRights } = options;
  if (kubernetesRbac) {
    const { policy } = await loadPolicy(globals.policy, process.env);
    const text = rightsOf(policy, globals.policy, ofRights);
    if (output === undefined) print(text.trimEnd());
    else await writeNew(output, text);
    return EXIT.done;
  }
  const [stray] = Object.keys(ofRights);
  if (stray !== undefined)
    throw new RotationError(
      "usage",
      `--${stray.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} goes with --kubernetes-rbac`,
    );
  const file = output ?? globals.policy;
  const text = await readFile(STARTER_POLICY, "utf8");
  // Where the schema lies from there, nobody knows.
  await writeNew(file, text.replace(/^# yaml-language-server.*\n(#\n)?/, ""));
  print(`${file} is there: say in it which keys to keep fresh, then run rotate validate`);
  return EXIT.done;
}

function rightsOf(
  policy: Policy,
  file: string,
  {
    namespace,
    serviceAccount = "keyturn",
    context,
  }: Pick<InitOptions, "namespace" | "serviceAccount" | "context">,
): string {
  expectName("--namespace", namespace, NAMESPACE);
  expectName("--service-account", serviceAccount, SERVICE_ACCOUNT);
  const here = namespace ?? homeOf(policy);
  const rights = neededRights(policy, here);
  if (rights.length === 0)
    throw new RotationError("usage", `${file} uses nothing of Kubernetes, so it needs no rights there`, {
      hint: "this is for policies with a Kubernetes store or journal, or with probes or reloads by the Kubernetes API",
    });
  const chosen = chooseCluster(rights, context);
  const objects = emptyObjects(policy).filter((one) => one.context === chosen);
  return rightsManifest(
    { namespace: here, name: serviceAccount },
    rights.filter((right) => right.context === chosen),
    objects.map(({ object }) => object),
  );
}

const NAMESPACE = { form: /^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, like: "a namespace like keyturn" };
const SERVICE_ACCOUNT = {
  form: /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  like: "the name of a ServiceAccount like keyturn",
};

function expectName(
  option: string,
  given: string | undefined,
  { form, like }: { form: RegExp; like: string },
): void {
  if (given === undefined || form.test(given)) return;
  throw new RotationError("usage", `${option}: found ${JSON.stringify(given)}; accepted: ${like}`);
}

/** Where keyturn runs, unless it is said: beside its journal, else beside the first secret. */
function homeOf({ journal, stores }: Policy): string {
  if (journal.type === "kubernetes") return journal.namespace;
  const store = Object.values(stores).find((one) => one.type === "kubernetes");
  return store?.type === "kubernetes" ? store.namespace : "default";
}

/** Manifests are of one cluster. Throws RotationError `usage` where the policy has several and none of them is chosen. */
function chooseCluster(rights: readonly KubeRight[], context: string | undefined): string | undefined {
  const all = [...new Set(rights.map((right) => right.context))];
  const names = all.filter((one) => one !== undefined);
  if (context === undefined) {
    if (all.length === 1) return all[0];
    throw new RotationError("usage", "the policy speaks to several clusters, and manifests are of one", {
      hint: `choose one with --context: ${names.join(", ")}${all.includes(undefined) ? ', or "" for the one that keyturn runs in' : ""}`,
    });
  }
  if (all.includes(context || undefined)) return context || undefined;
  throw new RotationError("usage", `the policy names no context ${JSON.stringify(context)}`, {
    hint:
      didYouMean(context, names) ?? (names.length > 0 ? `it names: ${names.join(", ")}` : "it names none"),
  });
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: "wx" });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST")
      throw new RotationError("usage", `${file} is there already, and is left as it is`, {
        hint: "name another file with --output",
        cause,
      });
    throw new RotationError(
      code === "EACCES" || code === "EPERM" || code === "EROFS" ? "forbidden" : "unusable",
      `cannot write ${file} (${code ?? message})`,
      { cause },
    );
  }
}

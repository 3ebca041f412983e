import type { Command } from "commander";
import { policyOptions } from "./init/flags.ts";
import { examples, exits } from "./options.ts";
import type { Run } from "./program.ts";

/** Declares `rotate init`, which writes what other commands read. */
export function declareInit(program: Command, run: Run): void {
  const init = program
    .command("init")
    .description("write a policy by asking, or from options; or print what a policy needs in Kubernetes")
    .option("--output <file>", "where to write it (default: the file of --policy); never overwritten");
  for (const option of policyOptions()) init.addOption(option);
  init
    .option(
      "--kubernetes-rbac",
      "print ServiceAccount, Role, RoleBinding and the empty objects that keyturn writes",
    )
    .option(
      "--namespace <name>",
      "namespace of the Secret; with --kubernetes-rbac, where keyturn runs (default: the journal's)",
    )
    .option(
      "--context <name>",
      "context of the kubeconfig (default: the cluster it runs in, or the current one)",
    )
    .option("--service-account <name>", "with --kubernetes-rbac: whom keyturn runs as (default: keyturn)")
    .addHelpText(
      "after",
      `
On a terminal it asks for what no option says: which key of the account is to be rotated, when, where
it is kept and which services use it. Without a terminal and without options it writes an example.
Where the management key is at hand it reads the account's keys, and changes nothing there.
${exits({ 0: "written or printed", 1: "the provider did not answer as it should, or the file cannot be written; nothing is written", 2: "something is missing or wrong, or the file is there; nothing is written", 130: "given up with Ctrl-C; nothing is written" })}${examples(
  "rotate init",
  "rotate init --key payments-api --consumer payments=http://10.0.0.7:8080/healthz",
  "rotate init --adopt 3f2a9c01 --schedule '0 10 * * 2' --consumer chat=http://127.0.0.1:8080/healthz",
  "rotate init --key ci --store kubernetes --namespace ci --consumer runner=deployment/runner",
  "rotate init --kubernetes-rbac",
  "rotate init --kubernetes-rbac --namespace keyturn | kubectl apply -f -",
)}`,
    )
    .action((options) => run(async (globals) => (await import("./init.ts")).init(globals, options)));
}

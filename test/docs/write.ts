import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandsReference } from "./commands-reference.ts";
import { consumersGuide } from "./consumer-examples.ts";
import { helmPage } from "./helm-values.ts";
import { helpModule } from "./help-text.ts";
import { metricsReference } from "./metrics-reference.ts";
import { policyReference } from "./policy-reference.ts";
import { reasonsReference } from "./reasons-reference.ts";

const ROOT = join(import.meta.dirname, "../..");
const DOCS = join(ROOT, "docs");
writeFileSync(join(ROOT, "src/commands/help-text.ts"), helpModule());
writeFileSync(join(DOCS, "metrics.md"), metricsReference());
writeFileSync(join(DOCS, "commands.md"), commandsReference());
writeFileSync(join(DOCS, "policy.md"), policyReference());
writeFileSync(join(DOCS, "consumers.md"), consumersGuide());
writeFileSync(join(DOCS, "logs.md"), reasonsReference());
writeFileSync(join(DOCS, "helm.md"), helmPage());
// A chart cannot reach files outside of its folder.
for (const file of ["alerts.yaml", "dashboard.json"])
  copyFileSync(join(ROOT, "config/monitoring", file), join(ROOT, "config/helm/keyturn/files", file));

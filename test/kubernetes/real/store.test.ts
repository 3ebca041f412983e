import { describeStore } from "../../conformance/store.ts";
import { CAPABILITIES, kubernetesBench } from "../../stores/kubernetes-bench.ts";
import { admin, newNamespace } from "./cluster.ts";

const namespace = newNamespace();

describeStore(
  "the Kubernetes store on a real API server",
  async () => kubernetesBench(admin, await namespace),
  CAPABILITIES,
);

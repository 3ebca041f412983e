import { kubeApi } from "../../src/kubernetes/kube-api.ts";
import { describeStore } from "../conformance/store.ts";
import { KubeModel } from "../kubernetes/model/kube-model.ts";
import { CAPABILITIES, kubernetesBench } from "./kubernetes-bench.ts";

describeStore(
  "the Kubernetes store on the model of the API server",
  async () => {
    const model = new KubeModel();
    const kube = kubeApi(async () => ({ send: model.send, namespace: "shop", name: "model" }));
    return kubernetesBench(kube, "shop");
  },
  CAPABILITIES,
);

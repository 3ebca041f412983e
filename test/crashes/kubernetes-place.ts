import { type KubeSend, SECRETS } from "../../src/kubernetes/api.ts";
import { kubeApi } from "../../src/kubernetes/kube-api.ts";
import { companionName } from "../../src/stores/kubernetes/names.ts";
import type { KubeSecret } from "../../src/stores/kubernetes/secret-object.ts";
import { kubernetesStore } from "../../src/stores/kubernetes/store.ts";
import { type KubeImage, KubeModel } from "../kubernetes/model/kube-model.ts";
import { type PlaceKind, SECRET } from "./place.ts";
import type { Sites } from "./sites.ts";

const NAMESPACE = "shop";

/** Each call of the API is a site. */
export const kubernetesPlace: PlaceKind = (clock, content) => {
  const model = new KubeModel({
    clock,
    uidOf: (name) => `uid of ${name}`,
    ...(content === undefined ? {} : { image: content as KubeImage }),
  });
  const entriesOf = (name: string) => decoded(model.find<KubeSecret>(SECRETS, NAMESPACE, name));
  return {
    current() {
      const entries = entriesOf(SECRET);
      return Object.keys(entries).length === 0 ? undefined : JSON.stringify(entries);
    },
    write(text) {
      model.put<KubeSecret>(SECRETS, NAMESPACE, {
        metadata: { name: SECRET },
        type: "Opaque",
        data: encoded(JSON.parse(text)),
      });
    },
    open: (random, sites) => {
      const kube = kubeApi(
        async () => ({ send: watched(model.send, sites), namespace: NAMESPACE, name: "model" }),
        { clock, random },
      );
      return kubernetesStore("local", { type: "kubernetes", namespace: NAMESPACE }, { kube, clock, random });
    },
    // Which writes there have been is of no bearing, nor when.
    image: () => ({
      text: JSON.stringify(model.all<KubeSecret>(SECRETS, NAMESPACE).map(lasting)),
      content: model.image(),
    }),
    mark: () => model.image().version,
    kept: () =>
      JSON.stringify(
        model
          .all<KubeSecret>(SECRETS, NAMESPACE)
          .map((object) => [object, decoded(object), JSON.stringify(decoded(object))]),
      ),
    staged: () => {
      const versions = JSON.parse(
        entriesOf(companionName(SECRET))["versions.json"] ?? '{"versions":[]}',
      ).versions;
      return versions.filter(({ staged }: { staged?: object }) => staged !== undefined).length;
    },
  };
};

function watched(send: KubeSend, sites: Sites): KubeSend {
  return (request) => {
    const name = request.path.split("/").at(-1);
    return sites.around(`kubernetes ${request.method} ${name}`, () => send(request));
  };
}

function lasting({ metadata, ...object }: KubeSecret): object {
  const { name, annotations, labels } = metadata;
  return { ...object, name, annotations, labels };
}

function decoded(secret: KubeSecret | undefined): Record<string, string> {
  return mapped(secret?.data ?? {}, (text) => Buffer.from(text, "base64").toString());
}

function encoded(entries: Record<string, string>): Record<string, string> {
  return mapped(entries, (text) => Buffer.from(text).toString("base64"));
}

function mapped(entries: Record<string, string>, change: (text: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).map(([name, text]) => [name, change(text)]));
}

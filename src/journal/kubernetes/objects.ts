import type { KubeApi, KubeObject, KubeResource } from "../../kubernetes/api.ts";
import { CONFIG_MAPS, LEASES } from "../../kubernetes/api.ts";
import { RotationError } from "../../lib/errors.ts";
import { JOURNAL_LABEL, type JournalConfig } from "./names.ts";
import { Overtaken } from "./persist.ts";

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
  immutable?: boolean;
}

export interface LeaseObject extends KubeObject {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

/** The journal's ConfigMaps and Leases, each read by name and written only over what was read. */
export class Objects {
  readonly kube: KubeApi;
  readonly config: JournalConfig;

  constructor(kube: KubeApi, config: JournalConfig) {
    this.kube = kube;
    this.config = config;
  }

  /** `ConfigMap keyturn in namespace shop`. */
  said(kind: string, name: string): string {
    return `${kind} ${name} in namespace ${this.config.namespace}`;
  }

  /** `journal keyturn in namespace shop`. */
  journalName(): string {
    return `journal ${this.config.name} in namespace ${this.config.namespace}`;
  }

  /** Undefined when there is none. Throws `unusable` for one that cannot be written any more. */
  async configMap(name: string): Promise<ConfigMap | undefined> {
    const found = await this.kube.get<ConfigMap>(CONFIG_MAPS, this.config.namespace, name);
    if (found?.immutable) {
      throw new RotationError("unusable", `the ${this.said("ConfigMap", name)} is immutable`, {
        hint: "save it (kubectl get -o yaml), delete it, and create it again without `immutable`",
      });
    }
    if (found?.metadata.deletionTimestamp !== undefined) {
      throw new RotationError("unusable", `the ${this.said("ConfigMap", name)} is being deleted`, {
        hint: "save it now (kubectl get -o yaml); a finalizer keeps it for the moment",
      });
    }
    return found;
  }

  lease(name: string): Promise<LeaseObject | undefined> {
    return this.kube.get<LeaseObject>(LEASES, this.config.namespace, name);
  }

  putConfigMap(name: string, kept: ConfigMap | undefined, content: Partial<ConfigMap>): Promise<ConfigMap> {
    return this.#put(CONFIG_MAPS, name, kept, content);
  }

  /** Has the API server check a write of the object as it was read, and write nothing. Throws Overtaken, and what a write throws. */
  async tryConfigMap(kept: ConfigMap): Promise<void> {
    try {
      await this.kube.replace(CONFIG_MAPS, this.config.namespace, kept, { dryRun: true });
    } catch (thrown) {
      const { code } = thrown as RotationError;
      if (code === "conflict" || code === "absent") throw new Overtaken();
      throw thrown;
    }
  }

  putLease(name: string, kept: LeaseObject | undefined, content: Partial<LeaseObject>): Promise<LeaseObject> {
    return this.#put(LEASES, name, kept, content);
  }

  /** Makes the object where there was none, or writes it over what was read. Throws Overtaken when that no longer stands. */
  async #put<T extends KubeObject>(
    resource: KubeResource,
    name: string,
    kept: T | undefined,
    content: Partial<T>,
  ): Promise<T> {
    const { namespace } = this.config;
    const { annotations, labels } = content.metadata ?? {};
    const metadata = {
      ...(kept?.metadata ?? { name, namespace }),
      labels: { ...kept?.metadata.labels, ...labels, [JOURNAL_LABEL]: this.config.name },
      annotations: { ...kept?.metadata.annotations, ...annotations },
    };
    const object = { ...kept, ...content, metadata } as unknown as T;
    try {
      if (kept === undefined) return await this.kube.create<T>(resource, namespace, object);
      return await this.kube.replace<T>(resource, namespace, object);
    } catch (thrown) {
      const { code } = thrown as RotationError;
      if (code === "conflict" || (code === "absent" && kept !== undefined)) throw new Overtaken();
      throw thrown;
    }
  }
}

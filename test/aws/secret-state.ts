/** One version of a secret. Its content never changes. */
export interface ModelVersion {
  readonly id: string;
  readonly string?: string;
  readonly binary?: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** One secret as AWS holds it. Replaced as a whole by each change, so that earlier states can be read. */
export interface SecretState {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  readonly changedAt: number;
  readonly description?: string;
  readonly kmsKeyId?: string;
  readonly owningService?: string;
  readonly primaryRegion?: string;
  readonly rotation?: { enabled: boolean; lambda?: string };
  /** When it is deleted for good; set while it is scheduled for deletion. */
  readonly deletionAt?: number;
  readonly tags: Readonly<Record<string, string>>;
  /** Oldest first. */
  readonly versions: readonly ModelVersion[];
  /** Which version bears a label: each label is on one version at most. */
  readonly labels: Readonly<Record<string, string>>;
}

export function labelsOf(state: SecretState, version: string): string[] {
  return Object.entries(state.labels).flatMap(([label, bearer]) => (bearer === version ? [label] : []));
}

export function versionOf(state: SecretState, id: string | undefined): ModelVersion | undefined {
  return state.versions.find((version) => version.id === id);
}

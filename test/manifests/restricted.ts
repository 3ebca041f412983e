import { expect } from "vitest";

/** Kinds of volumes of the restricted Pod Security Standard. */
const VOLUMES = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
];

/** Expects that a pod's spec meets the restricted Pod Security Standard, and may write nowhere but into its volumes. */
// biome-ignore lint/suspicious/noExplicitAny: a manifest; kubeconform judges its fields.
export function expectRestricted(pod: any): void {
  expect(pod.securityContext).toMatchObject({
    runAsNonRoot: true,
    seccompProfile: { type: "RuntimeDefault" },
  });
  if (pod.securityContext.runAsUser !== undefined) expect(pod.securityContext.runAsUser).toBeGreaterThan(0);
  for (const field of ["hostNetwork", "hostPID", "hostIPC", "hostUsers"])
    expect(pod).not.toHaveProperty(field);
  const kinds = pod.volumes.flatMap(({ name: _, ...source }: { name: string }) => Object.keys(source));
  expect(kinds.filter((kind: string) => !VOLUMES.includes(kind))).toEqual([]);
  for (const { securityContext, ports = [] } of pod.containers) {
    expect(securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    for (const port of ports) expect(port).not.toHaveProperty("hostPort");
  }
}

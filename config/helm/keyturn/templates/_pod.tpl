{{/* The pod template of both workloads, metadata and spec: they differ in what they run. */}}
{{- define "keyturn.podMetadata" -}}
labels:
  {{- merge (include "keyturn.labels" . | fromYaml) .Values.podLabels | toYaml | nindent 2 }}
{{- with .Values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "keyturn.podSpec" -}}
{{- $worker := eq .Values.mode "worker" -}}
{{- if not $worker }}
restartPolicy: Never
{{- end }}
serviceAccountName: {{ .Values.serviceAccount.name }}
automountServiceAccountToken: true
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  {{- with .Values.runAs.user }}
  runAsUser: {{ . | int64 }}
  {{- end }}
  {{- with .Values.runAs.group }}
  runAsGroup: {{ . | int64 }}
  {{- end }}
  {{- with .Values.runAs.fsGroup }}
  fsGroup: {{ . | int64 }}
  {{- end }}
  seccompProfile: { type: RuntimeDefault }
containers:
  - name: keyturn
    image: {{ include "keyturn.image" . | quote }}
    {{- with .Values.image.pullPolicy }}
    imagePullPolicy: {{ . }}
    {{- end }}
    args:
      {{- if $worker }}
      - worker
      {{- else }}
      - once
      - --deadline
      - {{ .Values.cronjob.deadline }}
      {{- end }}
      {{- with .Values.extraArgs }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    env:
      # The journal's Leases name the pod: one that is gone holds up nobody.
      - { name: POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
      - { name: POD_NAMESPACE, valueFrom: { fieldRef: { fieldPath: metadata.namespace } } }
      - { name: POD_UID, valueFrom: { fieldRef: { fieldPath: metadata.uid } } }
      {{- with .Values.extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- with .Values.extraEnvFrom }}
    envFrom:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- if $worker }}
    ports:
      - { name: http, containerPort: {{ .Values.server.port }} }   # health, and metrics at /metrics
    startupProbe:
      httpGet: { path: /healthz, port: http }
      periodSeconds: 2
      timeoutSeconds: 5
      failureThreshold: 60
    livenessProbe:
      httpGet: { path: /healthz, port: http }
      periodSeconds: 30
      timeoutSeconds: 5
      failureThreshold: 3
    readinessProbe:
      httpGet: { path: /readyz, port: http }
      periodSeconds: 10
      timeoutSeconds: 5
    {{- end }}
    {{- with .Values.resources }}
    resources:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: { drop: [ALL] }
    volumeMounts:
      - { name: policy, mountPath: /etc/keyturn, readOnly: true }
      {{- if .Values.managementKey.existingSecret }}
      - { name: management-key, mountPath: /run/secrets/keyturn, readOnly: true }
      {{- end }}
      - { name: data, mountPath: /data }
      {{- with .Values.extraVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
volumes:
  - name: policy
    configMap: { name: {{ include "keyturn.policyConfigMap" . }} }
  {{- with .Values.managementKey }}
  {{- if .existingSecret }}
  - name: management-key
    # A file, so that a new one needs no restart; 0440.
    secret:
      secretName: {{ .existingSecret }}
      defaultMode: 288
      {{- with .key }}
      items: [{ key: {{ . | quote }}, path: openrouter }]
      {{- end }}
  {{- end }}
  {{- end }}
  # The image's volume; nothing that matters is kept in it.
  - name: data
    emptyDir: { sizeLimit: 16Mi }
  {{- with .Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

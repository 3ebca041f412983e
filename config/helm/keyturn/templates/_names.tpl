{{- define "keyturn.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 52 characters, which is what a CronJob's name may have. */}}
{{- define "keyturn.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $whole := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- .Values.fullnameOverride | default $whole | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/* Never changes in a release's life: selectors cannot. */}}
{{- define "keyturn.selectorLabels" -}}
app.kubernetes.io/name: {{ include "keyturn.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "keyturn.labels" -}}
{{- merge (include "keyturn.selectorLabels" . | fromYaml) .Values.labels | toYaml -}}
{{- end -}}

{{/* Of an object, from a dict: root, and if they are others, name and more labels. */}}
{{- define "keyturn.metadata" -}}
name: {{ .name | default (include "keyturn.fullname" .root) }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- merge (include "keyturn.labels" .root | fromYaml) (.labels | default dict) | toYaml | nindent 2 }}
{{- end -}}

{{/* With a digest of the policy, so that an edited one starts a new pod. */}}
{{- define "keyturn.policyConfigMap" -}}
{{- if .Values.existingPolicy -}}
{{- .Values.existingPolicy -}}
{{- else -}}
{{- printf "%s-policy-%s" (include "keyturn.fullname" .) (.Values.policy | sha256sum | trunc 10) -}}
{{- end -}}
{{- end -}}

{{- define "keyturn.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What no schema can say: values that contradict one another, or the policy. Each refusal says what to do. */}}
{{- define "keyturn.checks" -}}
{{- $policy := include "keyturn.parsedPolicy" . | fromYaml -}}
{{- with .Values -}}
{{- if and .policy .existingPolicy -}}
{{- fail "policy and existingPolicy are both set: give the policy's text, or the name of a ConfigMap that has it" -}}
{{- end -}}
{{- if not (or .policy .existingPolicy) -}}
{{- fail "there is no policy: --set-file policy=rotation.yaml, or existingPolicy with the name of a ConfigMap that has it" -}}
{{- end -}}
{{- if and .image.tag .image.digest -}}
{{- fail "image.tag and image.digest are both set: give one" -}}
{{- end -}}
{{- if ne .mode "worker" -}}
{{- range $name := list "service" "podMonitor" "prometheusRule" "dashboard" -}}
{{- if (index $.Values $name).enabled -}}
{{- printf "%s.enabled is for the worker: a cronjob serves nothing, and has no metrics" $name | fail -}}
{{- end -}}
{{- end -}}
{{- $needed := add (include "keyturn.seconds" .cronjob.deadline | int64) (.terminationGracePeriodSeconds | int64) -}}
{{- if ge $needed (.cronjob.activeDeadlineSeconds | int64) -}}
{{- printf "cronjob.activeDeadlineSeconds is %v, and a pass may take %d seconds: its deadline of %s and terminationGracePeriodSeconds" .cronjob.activeDeadlineSeconds $needed .cronjob.deadline | fail -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Values.policy -}}
{{- $journal := dig "journal" "type" "sqlite" $policy -}}
{{- if and (eq $journal "sqlite") (not .Values.extraVolumeMounts) -}}
{{- fail "the policy's journal would be lost with the pod: set journal: { type: kubernetes, namespace: … } in it, or mount a volume for it with extraVolumes and extraVolumeMounts" -}}
{{- end -}}
{{- if eq .Values.mode "worker" -}}
{{- /* The image has 0.0.0.0:8080 for what the policy leaves out. */ -}}
{{- $server := $policy.server | default dict -}}
{{- $port := $server.port | default 8080 | toString -}}
{{- if and (ne $port (toString .Values.server.port)) (not (contains "$" $port)) -}}
{{- printf "server.port is %v, and in the policy it is %s" .Values.server.port $port | fail -}}
{{- end -}}
{{- $address := $server.address | default "0.0.0.0" -}}
{{- if or (hasPrefix "127." $address) (has $address (list "localhost" "::1")) -}}
{{- printf "the policy's server.address is %s, where the kubelet cannot reach it: set 0.0.0.0" $address | fail -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The policy as YAML that is known to be a map; nothing when it is in a ConfigMap of somebody else's. */}}
{{- define "keyturn.parsedPolicy" -}}
{{- if .Values.policy -}}
{{- $parsed := fromYaml .Values.policy -}}
{{- if hasKey $parsed "Error" -}}
{{- printf "policy is not the text of a rotation.yaml: %s" $parsed.Error | fail -}}
{{- end -}}
{{- toYaml $parsed -}}
{{- end -}}
{{- end -}}

{{/* Seconds of a duration like 8m. */}}
{{- define "keyturn.seconds" -}}
{{- $unit := regexFind "[smh]$" . -}}
{{- mul (trimSuffix $unit . | int64) (get (dict "s" 1 "m" 60 "h" 3600) $unit) -}}
{{- end -}}

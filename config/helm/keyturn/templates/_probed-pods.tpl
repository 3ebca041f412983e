{{/*
  Rules of egress, one for each `probe: { pods: … }` of the policy, each once. A selector of another
  form than `label=value, …` is widened to every pod of the namespace, on that port.
*/}}
{{- define "keyturn.probedPods" -}}
{{- $policy := include "keyturn.parsedPolicy" . | fromYaml -}}
{{- $defaults := $policy.defaults | default dict -}}
{{- $rules := list -}}
{{- range $key := $policy.keys -}}
{{- $use := dig "store" "use" (dig "store" "use" "" $defaults) $key -}}
{{- $home := dig "stores" $use "namespace" $.Release.Namespace $policy -}}
{{- $consumers := $key.consumers | default $defaults.consumers -}}
{{- if kindIs "slice" $consumers -}}
{{- range $consumers -}}
{{- with dig "probe" "pods" "" . -}}
{{- $namespace := .namespace | default $home -}}
{{- if contains "$" (printf "%s%s" $namespace .selector) -}}
{{- printf "the policy asks pods %q in the namespace %q, and what those variables stand for is not known here: set networkPolicy.toProbedPods to false, and name the pods under networkPolicy.egress" .selector $namespace | fail -}}
{{- end -}}
{{- $labels := dict -}}
{{- $plain := true -}}
{{- range splitList "," .selector -}}
{{- $pair := regexSplit "==?" (trim .) 2 -}}
{{- if or (ne (len $pair) 2) (contains "!" .) (contains "(" .) -}}
{{- $plain = false -}}
{{- else -}}
{{- $_ := set $labels (trim (first $pair)) (trim (last $pair)) -}}
{{- end -}}
{{- end -}}
{{- $peer := dict "namespaceSelector" (dict "matchLabels" (dict "kubernetes.io/metadata.name" $namespace)) -}}
{{- if $plain -}}
{{- $_ := set $peer "podSelector" (dict "matchLabels" $labels) -}}
{{- end -}}
{{- $rules = append $rules (dict "to" (list $peer) "ports" (list (dict "protocol" "TCP" "port" (int .port)))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with uniq $rules -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}

{{/* The settings of meshdns: those of the mode, with .Values.settings laid over them. YAML. */}}
{{- define "meshdns.settings" -}}
{{- $at := .Values.bindAddress -}}
{{- if contains ":" $at -}}{{- $at = printf "[%s]" $at -}}{{- end -}}
{{- $listen := dict "admin" (printf "%s:8081" $at) "lameduck" (include "meshdns.lameduck" . | int) -}}
{{- if eq .Values.mode "sidecar" -}}
{{- $_ := set $listen "grpc" (list "unix:///run/meshdns/dns.sock") -}}
{{- else if eq .Values.mode "daemonset" -}}
{{- $_ := set $listen "grpc" (list "unix:///run/meshdns/dns.sock") -}}
{{- else -}}
{{- $_ := set $listen "grpc" (list (printf "%s:8053" $at)) -}}
{{- $_ := set $listen "dns" (list (printf "%s:1053" $at)) -}}
{{- if .Values.tls.secretName -}}
{{- $tls := dict "certificate" "/etc/meshdns-tls/tls.crt" "key" "/etc/meshdns-tls/tls.key" -}}
{{- if .Values.tls.clientCertificates -}}
{{- $_ := set $tls "clientCa" "/etc/meshdns-tls/ca.crt" -}}
{{- if .Values.tls.clientNames -}}{{- $_ := set $tls "clientNames" .Values.tls.clientNames -}}{{- end -}}
{{- end -}}
{{- $_ := set $listen "grpcTls" $tls -}}
{{- else -}}
{{- $_ := set $listen "grpcPlaintext" "anywhere" -}}
{{- end -}}
{{- end -}}
{{- $kubernetes := dict -}}
{{- if .Values.rbac.namespaces -}}{{- $_ := set $kubernetes "namespaces" .Values.rbac.namespaces -}}{{- end -}}
{{- if .Values.snapshot.enabled -}}
{{- $_ := set $kubernetes "snapshot" (dict "file" "/var/lib/meshdns/snapshot.meshdns") -}}
{{- end -}}
{{- $sources := dict "kubernetes" $kubernetes -}}
{{- if .Values.istiod.enabled -}}
{{- $node := dict "namespace" .Release.Namespace "serviceAccount" (include "meshdns.serviceAccount" .) -}}
{{- $istiod := dict "address" .Values.istiod.address "node" $node -}}
{{- $_ := set $istiod "token" "/var/run/secrets/istiod/token" -}}
{{- $_ := set $istiod "tls" (dict "ca" "/var/run/secrets/istiod-ca/root-cert.pem") -}}
{{- $_ := set $sources "istiod" $istiod -}}
{{- end -}}
{{- $settings := dict "zones" .Values.zones "listen" $listen "sources" $sources -}}
{{- if .Values.sharedLedger.enabled -}}
{{- $place := dict "namespace" .Release.Namespace "name" (printf "%s-ledger" (include "meshdns.fullname" .)) -}}
{{- $_ := set $settings "serviceEntries" (dict "ledger" (dict "kubernetes" $place)) -}}
{{- end -}}
{{- mergeOverwrite $settings (deepCopy .Values.settings) | toYaml -}}
{{- end -}}

{{/* How long meshdns goes on after SIGTERM. The CoreDNS of its own pod hears that at the same moment, and asks until it has ended itself. */}}
{{- define "meshdns.lameduck" -}}
{{- add .Values.lameduckSeconds (eq .Values.mode "sidecar" | ternary 2 0) -}}
{{- end -}}

{{/* What of them needs a restart to take effect. */}}
{{- define "meshdns.settingsThatRestart" -}}
{{- $settings := omit (include "meshdns.settings" . | fromYaml) "ttl" -}}
{{- $telemetry := omit (default dict $settings.telemetry) "queryLog" -}}
{{- $settings = omit $settings "telemetry" -}}
{{- if $telemetry -}}{{- $_ := set $settings "telemetry" $telemetry -}}{{- end -}}
{{- toYaml $settings -}}
{{- end -}}

{{/* Rules for what these settings have watched; nothing else is read. YAML, a list. */}}
{{- define "meshdns.rules" -}}
{{- $settings := include "meshdns.settings" . | fromYaml -}}
{{- $kubernetes := default dict $settings.kubernetes -}}
{{- $entries := default dict $settings.serviceEntries -}}
{{- $source := default dict $settings.sources.kubernetes -}}
{{- $core := list "services" -}}
{{- if not $source.namespaces -}}{{- $core = prepend $core "namespaces" -}}{{- end -}}
{{- $pods := default "auto" $source.pods -}}
{{- $asked := or (eq (default "" $kubernetes.pods) "verified") (eq (default "" $entries.answer) "endpoints") -}}
{{- if or (eq $pods "always") (and (eq $pods "auto") $asked) -}}{{- $core = append $core "pods" -}}{{- end -}}
- apiGroups: [""]
  resources: {{ toJson $core }}
  verbs: [list, watch]
{{- if not (and (hasKey $kubernetes "endpoints") (not $kubernetes.endpoints)) }}
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
{{- end }}
{{- if not (and (hasKey $source "istio") (not $source.istio)) }}
- apiGroups: [networking.istio.io]
  resources: [serviceentries, workloadentries]
  verbs: [list, watch]
{{- end }}
{{- if $kubernetes.clusterSetZones }}
- apiGroups: [multicluster.x-k8s.io]
  resources: [serviceimports]
  verbs: [list, watch]
{{- end }}
{{- end -}}

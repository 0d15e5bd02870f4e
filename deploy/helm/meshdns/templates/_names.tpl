{{/* Names and labels. */}}
{{- define "meshdns.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "meshdns.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "meshdns.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "meshdns.selector" -}}
app.kubernetes.io/name: {{ include "meshdns.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "meshdns.labels" -}}
{{ include "meshdns.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: dns
{{- if not .Values.plain }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end -}}

{{- define "meshdns.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "meshdns.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* repository:tag, or repository@digest. Takes an image and the tag that stands in for an empty one. */}}
{{- define "meshdns.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ default .tag .image.tag }}
{{- end -}}
{{- end -}}

{{/* Values that are good each by itself, and contradict each other. */}}
{{- define "meshdns.checked" -}}
{{- $more := eq .Values.mode "sidecar" | ternary 13 11 -}}
{{- $needed := add .Values.lameduckSeconds $more -}}
{{- if lt (int .Values.terminationGracePeriodSeconds) (int $needed) -}}
{{- fail (printf "terminationGracePeriodSeconds: %d is too short: lameduckSeconds and %d more are needed, %d" (int .Values.terminationGracePeriodSeconds) $more (int $needed)) -}}
{{- end -}}
{{- if and .Values.tls.secretName (ne .Values.mode "deployment") -}}
{{- fail (printf "tls.secretName: gRPC of mode %s is a Unix socket, which has no TLS" .Values.mode) -}}
{{- end -}}
{{- if and .Values.tls.clientNames (not .Values.tls.secretName) -}}
{{- fail "tls.clientNames: without tls.secretName there is no TLS, and everybody may ask" -}}
{{- end -}}
{{- if and .Values.tls.clientNames (not .Values.tls.clientCertificates) -}}
{{- fail "tls.clientNames: with tls.clientCertificates: false clients show no certificate, and have no names" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (eq .Values.mode "daemonset") -}}
{{- fail "autoscaling.enabled: mode daemonset has one pod on every node" -}}
{{- end -}}
{{- range $setting, $instead := dict "admin" "bindAddress: probes ask port 8081" "lameduck" "lameduckSeconds: pods end after it" -}}
{{- if hasKey (dig "listen" dict $.Values.settings) $setting -}}
{{- fail (printf "settings.listen.%s: write %s" $setting $instead) -}}
{{- end -}}
{{- end -}}
{{- if .Values.settings.zones -}}
{{- fail "settings.zones: write zones, which Corefiles are made of too" -}}
{{- end -}}
{{- if dig "sources" "kubernetes" "namespaces" list .Values.settings -}}
{{- fail "settings.sources.kubernetes.namespaces: write rbac.namespaces, so that there are Roles in them" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (lt (int .Values.autoscaling.maxReplicas) (int .Values.autoscaling.minReplicas)) -}}
{{- fail (printf "autoscaling.maxReplicas: %d is below minReplicas, which is %d" (int .Values.autoscaling.maxReplicas) (int .Values.autoscaling.minReplicas)) -}}
{{- end -}}
{{- end -}}

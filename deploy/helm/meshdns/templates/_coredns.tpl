{{/* The server block for a CoreDNS that delegates the zones: takes the root, and what stands behind `grpc .`. */}}
{{- define "meshdns.keys" -}}
{{- $keys := list -}}
{{- range .Values.zones -}}{{- $keys = append $keys (printf "%s:53" .) -}}{{- end -}}
{{- join " " $keys -}}
{{- end -}}

{{- define "meshdns.block" -}}
{{ include "meshdns.keys" .root }} {
    errors
    cancel 2s
    cache {
        success 9984 {{ .root.Values.coredns.cacheSeconds }} 0
        denial 9984 {{ .root.Values.coredns.cacheSeconds }} 0
    }
    {{ .grpc | nindent 4 | trim }}
    loadbalance
    prometheus :9153
}
{{- end -}}

{{/* The Corefile of mode sidecar. */}}
{{- define "meshdns.corefile" -}}
{{- if .Values.coredns.corefile -}}
{{- .Values.coredns.corefile -}}
{{- else -}}
{{ include "meshdns.block" (dict "root" . "grpc" "grpc . unix:///run/meshdns/dns.sock") }}

.:53 {
    errors
    health :8080 {
        lameduck {{ .Values.lameduckSeconds }}s
    }
    ready :8181
    prometheus :9153
    forward . /etc/resolv.conf
    cache {{ .Values.coredns.cacheSeconds }}
    loop
    reload
    loadbalance
}
{{- end -}}
{{- end -}}

{{- define "meshdns.coredns" -}}
- name: coredns
  image: {{ include "meshdns.image" (dict "image" .Values.coredns.image "tag" "") }}
  imagePullPolicy: {{ .Values.coredns.image.pullPolicy }}
  args: [-conf, /etc/coredns/Corefile]
  ports:
    - {name: dns, containerPort: 53, protocol: UDP}
    - {name: dns-tcp, containerPort: 53, protocol: TCP}
    - {name: coredns-metrics, containerPort: 9153, protocol: TCP}
  readinessProbe:
    httpGet: {path: /ready, port: 8181}
    periodSeconds: 2
    failureThreshold: 1
  livenessProbe:
    httpGet: {path: /health, port: 8080}
    initialDelaySeconds: 10
    failureThreshold: 5
  resources:
    {{- toYaml .Values.coredns.resources | nindent 4 }}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    # Its executable does not start without this one, which port 53 needs.
    capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}
  volumeMounts:
    - {name: corefile, mountPath: /etc/coredns, readOnly: true}
    - {name: socket, mountPath: /run/meshdns}
{{- end -}}

{{/* How CoreDNS asks the Service of mode deployment. Named twice: two connections, so that one that breaks leaves another. */}}
{{- define "meshdns.grpc" -}}
{{- $address := printf "%s:8053" (default "CLUSTER-IP-OF-THE-SERVICE" .Values.service.clusterIP) -}}
{{- if contains ":" .Values.service.clusterIP -}}{{- $address = printf "[%s]:8053" .Values.service.clusterIP -}}{{- end -}}
{{- if .Values.tls.secretName -}}
grpc . {{ $address }} {{ $address }} {
    tls {{ if .Values.tls.clientCertificates }}/etc/coredns-tls/tls.crt /etc/coredns-tls/tls.key {{ end }}/etc/coredns-tls/ca.crt
    tls_servername {{ include "meshdns.fullname" . }}.{{ .Release.Namespace }}.svc
}
{{- else -}}
grpc . {{ $address }} {{ $address }}
{{- end -}}
{{- end -}}

{{/* What the pods of every mode have in common. */}}
{{- define "meshdns.podMetadata" -}}
annotations:
  {{- if not .Values.plain }}
  checksum/settings: {{ include "meshdns.settingsThatRestart" . | sha256sum }}
  {{- if eq .Values.mode "sidecar" }}
  checksum/corefile: {{ include "meshdns.corefile" . | sha256sum }}
  {{- end }}
  {{- end }}
  {{- if .Values.metrics.annotations }}
  prometheus.io/scrape: "true"
  prometheus.io/port: "8081"
  prometheus.io/path: /metrics
  {{- end }}
  {{- with .Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
labels:
  {{- include "meshdns.labels" . | nindent 2 }}
  {{- with .Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "meshdns.podSpec" -}}
serviceAccountName: {{ include "meshdns.serviceAccount" . }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $priority := eq .Values.mode "daemonset" | ternary "system-node-critical" "system-cluster-critical" }}
priorityClassName: {{ default $priority .Values.priorityClassName }}
terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
{{- /* What answers the cluster's names does not ask the cluster for names, unless it must: for istiod's. */}}
dnsPolicy: {{ default (.Values.istiod.enabled | ternary "ClusterFirst" "Default") .Values.dnsPolicy }}
enableServiceLinks: false
securityContext:
  seccompProfile: {type: RuntimeDefault}
  {{- if eq .Values.mode "daemonset" }}
  runAsUser: {{ .Values.socket.ownerUID }}
  runAsGroup: 65532
  {{- else }}
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  {{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $everywhere := eq .Values.mode "daemonset" | ternary (list (dict "operator" "Exists")) list }}
{{- with default $everywhere .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if and .Values.topologySpread.enabled (ne .Values.mode "daemonset") }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "meshdns.selector" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}
containers:
  {{- if eq .Values.mode "sidecar" }}
  {{- include "meshdns.coredns" . | nindent 2 }}
  {{- end }}
  {{- include "meshdns.container" . | nindent 2 }}
volumes:
  - name: settings
    configMap: {name: {{ include "meshdns.fullname" . }}}
  {{- if eq .Values.mode "sidecar" }}
  - name: corefile
    configMap: {name: {{ include "meshdns.fullname" . }}-corefile}
  - name: socket
    emptyDir: {medium: Memory, sizeLimit: 1Mi}
  {{- else if eq .Values.mode "daemonset" }}
  - name: socket
    hostPath: {path: {{ .Values.socket.hostPath }}, type: DirectoryOrCreate}
  {{- end }}
  {{- if .Values.snapshot.enabled }}
  - name: state
    emptyDir: {sizeLimit: {{ .Values.snapshot.sizeLimit }}}
  {{- end }}
  {{- if and .Values.tls.secretName (eq .Values.mode "deployment") }}
  - name: tls
    secret: {secretName: {{ .Values.tls.secretName }}}
  {{- end }}
  {{- with .Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- if .Values.istiod.enabled }}
  - name: istiod-token
    projected:
      sources:
        - serviceAccountToken: {audience: {{ .Values.istiod.audience }}, expirationSeconds: 43200, path: token}
  - name: istiod-ca
    configMap: {name: {{ .Values.istiod.caConfigMap }}}
  {{- end }}
{{- end -}}

{{- define "meshdns.container" -}}
- name: meshdns
  image: {{ include "meshdns.image" (dict "image" .Values.image "tag" .Chart.AppVersion) }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args: [serve, --config, /etc/meshdns/meshdns.yaml, --log, {{ .Values.log | quote }}]
  {{- with .Values.extraEnv }}
  env:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  ports:
    {{- if eq .Values.mode "deployment" }}
    - {name: grpc, containerPort: 8053, protocol: TCP}
    - {name: dns, containerPort: 1053, protocol: UDP}
    - {name: dns-tcp, containerPort: 1053, protocol: TCP}
    {{- end }}
    - {name: admin, containerPort: 8081, protocol: TCP}
  startupProbe:
    httpGet: {path: /livez, port: admin}
    periodSeconds: 1
    failureThreshold: 30
  readinessProbe:
    httpGet: {path: /readyz, port: admin}
    periodSeconds: 2
    failureThreshold: 1
  livenessProbe:
    httpGet: {path: /livez, port: admin}
    periodSeconds: 5
    timeoutSeconds: 2
    failureThreshold: 3
    # A process that hangs hears no SIGTERM.
    terminationGracePeriodSeconds: 10
  resources:
    {{- include "meshdns.resources" . | nindent 4 }}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: {drop: [ALL]}
  volumeMounts:
    - {name: settings, mountPath: /etc/meshdns, readOnly: true}
    {{- if ne .Values.mode "deployment" }}
    - {name: socket, mountPath: /run/meshdns}
    {{- end }}
    {{- if .Values.snapshot.enabled }}
    - {name: state, mountPath: /var/lib/meshdns}
    {{- end }}
    {{- if and .Values.tls.secretName (eq .Values.mode "deployment") }}
    - {name: tls, mountPath: /etc/meshdns-tls, readOnly: true}
    {{- end }}
    {{- if .Values.istiod.enabled }}
    - {name: istiod-token, mountPath: /var/run/secrets/istiod, readOnly: true}
    - {name: istiod-ca, mountPath: /var/run/secrets/istiod-ca, readOnly: true}
    {{- end }}
    {{- with .Values.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* Memory as measured beside CoreDNS (docs/benchmarks.md): 16 MiB, and 3 MiB for a thousand Services with 6,000 endpoints, both rounded up, and
     20 MiB that the allocator of the image keeps (at 100,000 Services, 40). A limit of twice that leaves room for a burst of queries. */}}
{{- define "meshdns.resources" -}}
{{- if .Values.resources -}}
{{- toYaml .Values.resources -}}
{{- else -}}
{{- $services := int .Values.sizing.services -}}
{{- $endpoints := int .Values.sizing.endpoints -}}
{{- $mebibytes := add 48 (div (add (mul $services 2) (div (mul $endpoints 1) 3)) 1000) -}}
requests: {cpu: 50m, memory: {{ $mebibytes }}Mi}
limits: {memory: {{ mul 2 $mebibytes }}Mi}
{{- end -}}
{{- end -}}

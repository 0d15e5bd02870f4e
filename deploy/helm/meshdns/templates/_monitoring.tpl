{{/* A file of files/ as it is, but that its links to runbooks lead to where these can be read. Takes the root and the file. */}}
{{- define "meshdns.monitoring" -}}
{{- $runbooks := default "docs/runbooks" .root.Values.metrics.runbooks | trimSuffix "/" -}}
{{- .root.Files.Get .file | replace "docs/runbooks/" (printf "%s/" $runbooks) | trim -}}
{{- end -}}

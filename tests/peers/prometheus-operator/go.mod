// The definitions of PodMonitor and PrometheusRule that the tests install, pinned. scripts/crds takes them from the module; nothing is built.

module meshdns.invalid/tools/prometheus-operator

go 1.26.0

require github.com/prometheus-operator/prometheus-operator v0.85.0

// What Grafana says of a dashboard, by its own definition of what one is, pinned.

module meshdns.invalid/tools/grafana

go 1.26.0

require github.com/grafana/grafana-foundation-sdk/go v0.0.22

// The definition of ServiceImport that the tests install, pinned. scripts/crds takes it from the module; nothing is built.

module meshdns.invalid/tools/mcs-api

go 1.26.0

require sigs.k8s.io/mcs-api v0.5.2

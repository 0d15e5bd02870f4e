package main

import (
	"fmt"
	"slices"

	"istio.io/istio/pilot/pkg/model"
)

// probeNamespace holds the objects of the probe. Nothing in it is seen from outside.
const probeNamespace = "peer-probe"

// probeText has one object of each kind that makes endpoints. Its parameter is the number of the probe; the other two
// are octets of addresses. The pod and the WorkloadEntry must not share a name: istiod loses one of the two.
const probeText = `
apiVersion: v1
kind: Pod
metadata: {name: pod-%[1]d, namespace: peer-probe, labels: {probe: "%[1]d"}}
spec: {containers: [{name: probe, image: probe}]}
status:
  phase: Running
  podIP: 198.18.%[2]d.%[3]d
  podIPs: [{ip: 198.18.%[2]d.%[3]d}]
  conditions: [{type: Ready, status: "True"}]
---
apiVersion: v1
kind: Service
metadata: {name: probe-%[1]d, namespace: peer-probe, annotations: {networking.istio.io/exportTo: .}}
spec: {clusterIP: None, ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: probe-%[1]d, namespace: peer-probe, labels: {kubernetes.io/service-name: probe-%[1]d}}
addressType: IPv4
ports: [{name: http, port: 80}]
endpoints:
- addresses: [198.18.%[2]d.%[3]d]
  conditions: {ready: true}
  targetRef: {kind: Pod, name: pod-%[1]d, namespace: peer-probe}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: workload-%[1]d, namespace: peer-probe, labels: {probe: "%[1]d"}}
spec: {address: 198.19.%[2]d.%[3]d}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: probe-%[1]d, namespace: peer-probe}
spec:
  hosts: [probe-%[1]d.invalid]
  exportTo: [.]
  ports: [{number: 80, name: http, protocol: HTTP}]
  workloadSelector: {labels: {probe: "%[1]d"}}
`

// probe waits until everything that was written up to now has passed through istiod. Its queues keep the order, so it
// writes objects of its own last, and when these have got where they belong, so has everything before.
func (c *cluster) probe() error {
	c.probes++
	high, low := c.probes/250, c.probes%250+1
	objects, err := decode(fmt.Sprintf(probeText, c.probes, high, low))
	if err != nil {
		return err
	}
	for _, object := range objects {
		if err := c.api.create(object); err != nil {
			return err
		}
	}
	pod, workload := fmt.Sprintf("198.18.%d.%d", high, low), fmt.Sprintf("198.19.%d.%d", high, low)
	service := fmt.Sprintf("probe-%d.%s.svc.%s", c.probes, probeNamespace, domain)
	entry := fmt.Sprintf("probe-%d.invalid", c.probes)
	return until(func() (string, error) {
		for _, wanted := range [][2]string{{service, pod}, {entry, pod}, {entry, workload}} {
			if !c.hasEndpoint(wanted[0], wanted[1]) {
				return fmt.Sprintf("%s has no endpoint %s", wanted[0], wanted[1]), nil
			}
		}
		return "", nil
	})
}

// hasEndpoint says whether istiod knows this address behind this host of the probe.
func (c *cluster) hasEndpoint(host, address string) bool {
	endpoints, ok := c.discovery.Env.EndpointIndex.ShardsForService(host, probeNamespace)
	if !ok {
		return false
	}
	endpoints.RLock()
	defer endpoints.RUnlock()
	for _, shard := range endpoints.Shards {
		if slices.ContainsFunc(shard, func(endpoint *model.IstioEndpoint) bool {
			return slices.Contains(endpoint.Addresses, address)
		}) {
			return true
		}
	}
	return false
}

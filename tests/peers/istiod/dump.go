package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"

	envoycore "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	xdsapi "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"

	xdstypes "istio.io/istio/pilot/pkg/xds/v3"
	nametable "istio.io/istio/pkg/dns/proto"
)

// node is a sidecar to be.
type node struct {
	Namespace string `json:"namespace"`
	// Addresses are its pod's; one IPv4 address if there are none.
	Addresses []string `json:"addresses"`
	// Metadata are laid over those that make it use automatic addresses.
	Metadata map[string]string `json:"metadata"`
}

// dump is what a sidecar is sent.
type dump struct {
	// NameTable are the addresses of each host.
	NameTable map[string][]string `json:"nameTable"`
	// Listeners are the addresses and ports of each listener by its name.
	Listeners map[string][]string `json:"listeners"`
}

// ask asks as a sidecar would.
func (n *node) ask(address string) (*dump, error) {
	proxy, err := n.proxy()
	if err != nil {
		return nil, err
	}
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stream, err := xdsapi.NewAggregatedDiscoveryServiceClient(connection).StreamAggregatedResources(ctx)
	if err != nil {
		return nil, err
	}
	dump := &dump{NameTable: map[string][]string{}, Listeners: map[string][]string{}}
	for _, kind := range []string{xdstypes.NameTableType, xdstypes.ListenerType} {
		if err := stream.Send(&xdsapi.DiscoveryRequest{Node: proxy, TypeUrl: kind}); err != nil {
			return nil, err
		}
		answer, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		for _, resource := range answer.Resources {
			if err := dump.add(kind, resource); err != nil {
				return nil, err
			}
		}
	}
	return dump, nil
}

func (n *node) proxy() (*envoycore.Node, error) {
	addresses := n.Addresses
	if len(addresses) == 0 {
		addresses = []string{"198.18.255.1"}
	}
	metadata := map[string]any{
		"NAMESPACE":         n.Namespace,
		"CLUSTER_ID":        "Kubernetes",
		"DNS_CAPTURE":       "true",
		"DNS_AUTO_ALLOCATE": "true",
		"INSTANCE_IPS":      strings.Join(addresses, ","),
	}
	for key, value := range n.Metadata {
		metadata[key] = value
	}
	fields, err := structpb.NewStruct(metadata)
	if err != nil {
		return nil, err
	}
	id := fmt.Sprintf("sidecar~%s~dump.%s~%s.svc.%s", addresses[0], n.Namespace, n.Namespace, domain)
	return &envoycore.Node{Id: id, Metadata: fields}, nil
}

func (d *dump) add(kind string, resource *anypb.Any) error {
	if kind == xdstypes.NameTableType {
		var table nametable.NameTable
		if err := resource.UnmarshalTo(&table); err != nil {
			return err
		}
		for host, info := range table.Table {
			d.NameTable[host] = info.Ips
		}
		return nil
	}
	var bound listener.Listener
	if err := resource.UnmarshalTo(&bound); err != nil {
		return err
	}
	sockets := []*envoycore.Address{bound.Address}
	for _, more := range bound.AdditionalAddresses {
		sockets = append(sockets, more.Address)
	}
	for _, socket := range sockets {
		at := socket.GetSocketAddress()
		port := strconv.Itoa(int(at.GetPortValue()))
		d.Listeners[bound.Name] = append(d.Listeners[bound.Name], net.JoinHostPort(at.GetAddress(), port))
	}
	return nil
}

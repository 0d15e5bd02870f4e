// The istiod that the tests run against: its own discovery server, service registries and address allocators over an
// API server in memory, and nothing else of it. It serves xDS on a loopback port and takes orders from its parent.
//
// One order is one JSON object on a line of stdin; each gets one JSON object on a line of stdout:
//
//	{"load": "<YAML documents>", "mode": "status"}  a new cluster with these objects; the one before is gone
//	{"apply": "<YAML documents>"}                   objects created or replaced
//	{"delete": "<YAML documents>"}                  objects deleted; kind, namespace and name count
//	{"dump": {"namespace": "shop"}}                 what a sidecar of this namespace is sent
//
// The first three are answered with {"address", "objects"} once everything is in effect: the address of the xDS port,
// and a List of the ServiceEntries as the API server has them now. Whatever fails is answered with {"error"}. The mode
// says which of Istio's allocators gives addresses: "status" (into status.addresses) or "hash" (in memory). The end of
// stdin ends the program.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"istio.io/istio/pilot/pkg/features"
	"istio.io/istio/pkg/log"
)

// order is what the parent wants; one of the first four fields is set.
type order struct {
	Load   *string `json:"load"`
	Apply  *string `json:"apply"`
	Delete *string `json:"delete"`
	Dump   *node   `json:"dump"`
	Mode   string  `json:"mode"`
}

// reply is what the parent gets.
type reply struct {
	Address string          `json:"address,omitempty"`
	Objects json.RawMessage `json:"objects,omitempty"`
	Dump    *dump           `json:"dump,omitempty"`
	Error   string          `json:"error,omitempty"`
}

func main() {
	replies := json.NewEncoder(os.Stdout)
	// Whoever prints prints for people from here on.
	os.Stdout = os.Stderr
	if err := run(bufio.NewReader(os.Stdin), replies); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run obeys until there are no more orders.
func run(orders *bufio.Reader, replies *json.Encoder) error {
	if err := quietly(); err != nil {
		return err
	}
	rules, err := newRules()
	if err != nil {
		return fmt.Errorf("the definitions of Istio's objects: %w", err)
	}
	peer := peer{rules: rules}
	defer peer.stop()
	for {
		line, err := orders.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := replies.Encode(peer.obey(line)); err != nil {
			return err
		}
	}
}

// quietly leaves out what istiod says when all is well, and what tests do not use of it.
func quietly() error {
	features.EnableGatewayAPI = false
	options := log.DefaultOptions()
	options.OutputPaths = []string{"stderr"}
	options.SetDefaultOutputLevel(log.OverrideScopeName, log.ErrorLevel)
	return log.Configure(options)
}

// peer is the program between two orders.
type peer struct {
	rules   rules
	cluster *cluster
}

// obey does what an order says.
func (p *peer) obey(line []byte) reply {
	var order order
	if err := json.Unmarshal(line, &order); err != nil {
		return reply{Error: fmt.Sprintf("not an order: %v", err)}
	}
	switch {
	case order.Load != nil:
		return p.settled(p.load(*order.Load, order.Mode))
	case p.cluster == nil:
		return reply{Error: "nothing is loaded"}
	case order.Apply != nil:
		return p.settled(p.apply(*order.Apply))
	case order.Delete != nil:
		return p.settled(p.delete(*order.Delete))
	case order.Dump != nil:
		dump, err := order.Dump.ask(p.cluster.address())
		if err != nil {
			return reply{Error: err.Error()}
		}
		return reply{Dump: dump}
	default:
		return reply{Error: `an order is "load", "apply", "delete" or "dump"`}
	}
}

func (p *peer) load(text, mode string) error {
	p.stop()
	switch mode {
	case "status":
		features.EnableIPAutoallocate = true
	case "hash":
		features.EnableIPAutoallocate = false
	default:
		return fmt.Errorf("`%s` is not a mode: status or hash", mode)
	}
	objects, err := p.rules.read(text)
	if err != nil {
		return err
	}
	api := newAPI()
	for _, object := range objects {
		if err := api.create(object); err != nil {
			return err
		}
	}
	p.cluster, err = startCluster(api)
	return err
}

func (p *peer) apply(text string) error {
	objects, err := p.rules.read(text)
	if err != nil {
		return err
	}
	for _, object := range objects {
		if err := p.cluster.api.apply(object); err != nil {
			return err
		}
	}
	return nil
}

func (p *peer) delete(text string) error {
	objects, err := decode(text)
	if err != nil {
		return err
	}
	for _, object := range objects {
		if err := p.cluster.api.delete(object); err != nil {
			return err
		}
	}
	return nil
}

// settled waits until all that was done is in effect, and shows what came of it.
func (p *peer) settled(err error) reply {
	if err == nil {
		err = p.cluster.settle()
	}
	var objects []byte
	if err == nil {
		objects, err = p.cluster.api.serviceEntryList()
	}
	if err != nil {
		return reply{Error: err.Error()}
	}
	return reply{Address: p.cluster.address(), Objects: objects}
}

func (p *peer) stop() {
	if p.cluster != nil {
		p.cluster.stop()
		p.cluster = nil
	}
}

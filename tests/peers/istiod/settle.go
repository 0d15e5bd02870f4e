package main

import (
	"fmt"
	"net/netip"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"istio.io/api/networking/v1alpha3"
	networking "istio.io/client-go/pkg/apis/networking/v1"
	"istio.io/istio/pilot/pkg/features"
	"istio.io/istio/pilot/pkg/model"
	autoallocate "istio.io/istio/pilot/pkg/networking/serviceentry"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/host"
	"istio.io/istio/pkg/util/sets"
)

const (
	// patience is how long anything may take: far more than it needs, also on a busy machine.
	patience = 30 * time.Second
	// pace is how often a condition is looked at.
	pace = 500 * time.Microsecond
)

// until waits for a condition, which says what is still missing, or nothing.
func until(missing func() (string, error)) error {
	deadline := time.Now().Add(patience)
	for {
		what, err := missing()
		if err != nil {
			return err
		}
		if what == "" {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("istiod did not settle within %v: %s", patience, what)
		}
		time.Sleep(pace)
	}
}

// settle waits until istiod has read everything, all addresses are allocated, and whoever asks gets the final answers.
func (c *cluster) settle() error {
	if err := until(c.unread); err != nil {
		return err
	}
	if err := until(c.unallocated); err != nil {
		return err
	}
	if err := c.probe(); err != nil {
		return err
	}
	// What is computed from here on is computed from what the probe found to be in place.
	c.discovery.ConfigUpdate(&model.PushRequest{Reason: model.NewReasonStats(model.GlobalUpdate), Forced: true})
	inbound := c.discovery.InboundUpdates.Load()
	err := until(func() (string, error) {
		if c.discovery.CommittedUpdates.Load() < inbound {
			return "changes are not committed", nil
		}
		return "", nil
	})
	c.discovery.CachesSynced()
	return err
}

func (c *cluster) unread() (string, error) {
	for _, synced := range c.synced {
		if !synced() {
			return "not all objects are read", nil
		}
	}
	return "", nil
}

// unallocated says what the allocator has yet to do: every host that gets addresses has them, nothing else does, and no
// address that it may give away has two owners.
func (c *cluster) unallocated() (string, error) {
	if !features.EnableIPAutoallocate {
		return "", nil
	}
	entries, err := c.api.serviceEntries()
	if err != nil {
		return "", err
	}
	owners := map[netip.Addr]types.NamespacedName{}
	for _, entry := range entries {
		wanted, has := wantedHosts(entry), sets.New[string]()
		for host := range autoallocate.GetHostAddressesFromServiceEntry(entry) {
			has.Insert(host)
		}
		if !wanted.Equals(has) {
			return fmt.Sprintf("%s/%s needs addresses for %v and has some for %v",
				entry.Namespace, entry.Name, sets.SortedList(wanted), sets.SortedList(has)), nil
		}
		for _, literal := range literals(entry) {
			owners[literal] = config.NamespacedName(entry)
		}
	}
	for _, entry := range entries {
		self := config.NamespacedName(entry)
		for _, address := range autoallocate.GetAddressesFromServiceEntry(entry) {
			if owner, taken := owners[address]; taken && owner != self {
				return fmt.Sprintf("%v belongs to %v and %v", address, owner, self), nil
			}
			owners[address] = self
		}
	}
	return "", nil
}

// wantedHosts are the hosts of an entry that the allocator gives addresses to.
func wantedHosts(entry *networking.ServiceEntry) sets.String {
	wanted := sets.New[string]()
	if !autoallocate.ShouldV2AutoAllocateIP(entry) {
		return wanted
	}
	for _, name := range entry.Spec.Hosts {
		if !host.Name(name).IsWildCarded() || entry.Spec.Resolution == v1alpha3.ServiceEntry_DYNAMIC_DNS {
			wanted.Insert(name)
		}
	}
	return wanted
}

// literals are the addresses that an entry's author gave, without ranges.
func literals(entry *networking.ServiceEntry) []netip.Addr {
	var addresses []netip.Addr
	for _, text := range entry.Spec.Addresses {
		if address, err := netip.ParseAddr(text); err == nil {
			addresses = append(addresses, address)
		}
	}
	return addresses
}

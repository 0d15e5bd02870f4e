package main

import (
	"encoding/json"
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	metadatafake "k8s.io/client-go/metadata/fake"
	"k8s.io/client-go/testing"

	networking "istio.io/client-go/pkg/apis/networking/v1"
	istiofake "istio.io/client-go/pkg/clientset/versioned/fake"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/schema/gvk"
	"istio.io/istio/pkg/config/schema/gvr"
	kubelib "istio.io/istio/pkg/kube"
)

// api is an API server in memory, and the client by which istiod reads and writes it.
type api struct {
	client  kubelib.CLIClient
	kube    testing.ObjectTracker
	istio   testing.ObjectTracker
	version int
}

// newAPI is one that knows Istio's kinds and holds no objects.
func newAPI() *api {
	client := kubelib.NewFakeClient()
	// This is where istiod looks which kinds are installed.
	installed := client.Metadata().(*metadatafake.FakeMetadataClient).Tracker()
	for _, kind := range []schema.GroupVersionResource{gvr.ServiceEntry, gvr.WorkloadEntry} {
		definition := &metav1.PartialObjectMetadata{}
		definition.SetGroupVersionKind(gvk.CustomResourceDefinition.Kubernetes())
		definition.SetName(kind.GroupResource().String())
		if err := installed.Create(gvr.CustomResourceDefinition, definition, ""); err != nil {
			panic(err)
		}
	}
	return &api{
		client: client,
		kube:   client.Kube().(*fake.Clientset).Tracker(),
		istio:  client.Istio().(*istiofake.Clientset).Tracker(),
	}
}

// place is where an object is kept, and under which resource.
func (a *api) place(object object) (testing.ObjectTracker, schema.GroupVersionResource) {
	kind := object.GetObjectKind().GroupVersionKind()
	resource, ok := gvk.ToGVR(config.FromKubernetesGVK(kind))
	if !ok {
		panic(fmt.Sprintf("%v has no resource", kind))
	}
	if kind.Group == gvk.ServiceEntry.Group {
		return a.istio, resource
	}
	return a.kube, resource
}

// stamp gives an object the version that an API server would count.
func (a *api) stamp(object object) {
	a.version++
	object.SetResourceVersion(strconv.Itoa(a.version))
	object.SetGeneration(int64(a.version))
}

// create adds an object as it is, status included, as if it had been in the cluster for long.
func (a *api) create(object object) error {
	a.stamp(object)
	tracker, resource := a.place(object)
	if err := tracker.Create(resource, object, object.GetNamespace()); err != nil {
		return fmt.Errorf("%s: %w", title(object), err)
	}
	return nil
}

// apply adds an object or replaces the one of its name. What the document does not say and only a cluster can know, a
// replacement keeps: the status of a ServiceEntry and the time of creation.
func (a *api) apply(object object) error {
	tracker, resource := a.place(object)
	found, err := tracker.Get(resource, object.GetNamespace(), object.GetName())
	if apierrors.IsNotFound(err) {
		return a.create(object)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", title(object), err)
	}
	if created := object.GetCreationTimestamp(); created.IsZero() {
		object.SetCreationTimestamp(found.(metav1.Object).GetCreationTimestamp())
	}
	if entry, ok := object.(*networking.ServiceEntry); ok && len(entry.Status.Addresses) == 0 {
		found.(*networking.ServiceEntry).Status.DeepCopyInto(&entry.Status)
	}
	a.stamp(object)
	if err := tracker.Update(resource, object, object.GetNamespace()); err != nil {
		return fmt.Errorf("%s: %w", title(object), err)
	}
	return nil
}

// delete removes the object of this kind and name.
func (a *api) delete(object object) error {
	tracker, resource := a.place(object)
	if err := tracker.Delete(resource, object.GetNamespace(), object.GetName()); err != nil {
		return fmt.Errorf("%s: %w", title(object), err)
	}
	return nil
}

// serviceEntries are all ServiceEntries but those of the probe.
func (a *api) serviceEntries() ([]*networking.ServiceEntry, error) {
	found, err := a.istio.List(gvr.ServiceEntry, gvk.ServiceEntry.Kubernetes(), metav1.NamespaceAll)
	if err != nil {
		return nil, err
	}
	var entries []*networking.ServiceEntry
	for _, entry := range found.(*networking.ServiceEntryList).Items {
		if entry.Namespace != probeNamespace {
			entries = append(entries, entry)
		}
	}
	return entries, nil
}

// serviceEntryList is the same as the text of a List.
func (a *api) serviceEntryList() ([]byte, error) {
	entries, err := a.serviceEntries()
	if err != nil {
		return nil, err
	}
	list := struct {
		metav1.TypeMeta `json:",inline"`
		Items           []*networking.ServiceEntry `json:"items"`
	}{metav1.TypeMeta{APIVersion: "v1", Kind: "List"}, []*networking.ServiceEntry{}}
	for _, entry := range entries {
		entry = entry.DeepCopy()
		entry.SetGroupVersionKind(gvk.ServiceEntry.Kubernetes())
		list.Items = append(list.Items, entry)
	}
	return json.Marshal(list)
}

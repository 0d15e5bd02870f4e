package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"

	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/schema/gvk"
	kubelib "istio.io/istio/pkg/kube"
)

// domain is the cluster domain.
const domain = "cluster.local"

// object is anything that the API server holds.
type object interface {
	runtime.Object
	metav1.Object
}

// kinds are the objects that can be loaded.
var kinds = map[schema.GroupKind]config.GroupVersionKind{
	gvk.Namespace.Kubernetes().GroupKind():     gvk.Namespace,
	gvk.Service.Kubernetes().GroupKind():       gvk.Service,
	gvk.EndpointSlice.Kubernetes().GroupKind(): gvk.EndpointSlice,
	gvk.Pod.Kubernetes().GroupKind():           gvk.Pod,
	gvk.ServiceEntry.Kubernetes().GroupKind():  gvk.ServiceEntry,
	gvk.WorkloadEntry.Kubernetes().GroupKind(): gvk.WorkloadEntry,
}

// decode reads YAML documents, whatever they say. Objects without a namespace are in `default`.
func decode(text string) ([]object, error) {
	var objects []object
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader([]byte(text)), 4096)
	for {
		var written unstructured.Unstructured
		err := documents.Decode(&written)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("after %d objects: %w", len(objects), err)
		}
		if len(written.Object) == 0 {
			continue
		}
		object, err := typed(&written)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", title(&written), err)
		}
		objects = append(objects, object)
	}
}

// typed gives an object the type that Istio's clients use for it, which is that of the version served today.
func typed(written *unstructured.Unstructured) (object, error) {
	kind, ok := kinds[written.GroupVersionKind().GroupKind()]
	if !ok {
		return nil, errors.New("objects of this kind are not taken")
	}
	written.SetGroupVersionKind(kind.Kubernetes())
	if kind == gvk.Namespace {
		written.SetNamespace("")
	} else if written.GetNamespace() == "" {
		written.SetNamespace(metav1.NamespaceDefault)
	}
	bytes, err := written.MarshalJSON()
	if err != nil {
		return nil, err
	}
	decoded, _, err := kubelib.IstioCodec.UniversalDeserializer().Decode(bytes, nil, nil)
	if err != nil {
		return nil, err
	}
	decoded.GetObjectKind().SetGroupVersionKind(kind.Kubernetes())
	return decoded.(object), nil
}

// title names an object in messages.
func title(object object) string {
	kind := object.GetObjectKind().GroupVersionKind().Kind
	if object.GetNamespace() == "" {
		return kind + " " + object.GetName()
	}
	return kind + " " + object.GetNamespace() + "/" + object.GetName()
}

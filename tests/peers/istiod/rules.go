package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"istio.io/istio/manifests"
	"istio.io/istio/pilot/pkg/config/kube/crdclient"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/schema/collections"
)

// rules are what Istio demands of its objects: the definitions that an API server enforces, and the checks of istiod's
// admission webhook.
type rules map[schema.GroupVersionKind]*definition

// definition is the schema of one version of a kind, with the rules in it.
type definition struct {
	shape  *structural.Structural
	fields validation.SchemaValidator
	rules  *cel.Validator
}

// newRules reads the definitions that Istio installs.
func newRules() (rules, error) {
	text, err := manifests.FS.Open("charts/base/files/crd-all.gen.yaml")
	if err != nil {
		return nil, err
	}
	defer text.Close()
	rules := rules{}
	documents := yaml.NewYAMLOrJSONDecoder(text, 4096)
	for {
		var written apiextensionsv1.CustomResourceDefinition
		err := documents.Decode(&written)
		if errors.Is(err, io.EOF) {
			return rules, nil
		}
		if err != nil {
			return nil, err
		}
		kind, ok := kinds[schema.GroupKind{Group: written.Spec.Group, Kind: written.Spec.Names.Kind}]
		if !ok {
			continue
		}
		for _, version := range written.Spec.Versions {
			if version.Name != kind.Version {
				continue
			}
			if rules[kind.Kubernetes()], err = newDefinition(version.Schema); err != nil {
				return nil, fmt.Errorf("%s: %w", written.Name, err)
			}
		}
	}
}

func newDefinition(written *apiextensionsv1.CustomResourceValidation) (*definition, error) {
	var internal apiextensions.CustomResourceValidation
	err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(
		written, &internal, nil)
	if err != nil {
		return nil, err
	}
	fields, _, err := validation.NewSchemaValidator(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	shape, err := structural.NewStructural(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	return &definition{shape, fields, cel.NewValidator(shape, true, celconfig.PerCallLimit)}, nil
}

// read reads objects that a cluster would take.
func (r rules) read(text string) ([]object, error) {
	objects, err := decode(text)
	if err != nil {
		return nil, err
	}
	for _, object := range objects {
		if err := r.check(object); err != nil {
			return nil, fmt.Errorf("%s is refused: %w", title(object), err)
		}
	}
	return objects, nil
}

// check says why a cluster would refuse an object of Istio.
func (r rules) check(object object) error {
	kind := object.GetObjectKind().GroupVersionKind()
	definition, ok := r[kind]
	if !ok {
		return nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return err
	}
	if err := definition.check(content); err != nil {
		return err
	}
	schema, ok := collections.Pilot.FindByGroupVersionKind(config.FromKubernetesGVK(kind))
	if !ok {
		return fmt.Errorf("istiod does not read %v", kind)
	}
	_, err = schema.ValidateConfig(crdclient.TranslateObject(object, schema.GroupVersionKind(), domain))
	return err
}

// check says why an API server would refuse an object.
func (d *definition) check(content map[string]any) error {
	problems := validation.ValidateCustomResource(nil, content, d.fields)
	if d.rules != nil && len(problems) == 0 {
		broken, _ := d.rules.Validate(
			context.Background(), nil, d.shape, content, nil, celconfig.RuntimeCELCostBudget)
		problems = append(problems, broken...)
	}
	return problems.ToAggregate()
}

package envoy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"github.com/goccy/go-yaml"
	"google.golang.org/protobuf/encoding/protojson"
)

const preamble = `# Envoy in front of an application that Rolepass guards.
# Written by "rolepass generate envoy". Change rolepass.yaml and generate again
# rather than editing: a request that this file lets by is not judged at all.
`

// YAML renders a bootstrap for people and for Envoy: fields in the order of
// the messages, a comment above each deliberate choice. Equal bootstraps give
// equal bytes.
func YAML(b *bootstrap.Bootstrap) ([]byte, error) { return render(preamble, b) }

func render(preamble string, b *bootstrap.Bootstrap) ([]byte, error) {
	tree, err := treeOf(b)
	if err != nil {
		return nil, err
	}
	body, err := yaml.MarshalWithOptions(tree, yaml.IndentSequence(false), yaml.UseLiteralStyleIfMultiline(true), yaml.WithComment(commentMap(tree)))
	if err != nil {
		return nil, fmt.Errorf("writing the bootstrap as YAML: %w", err)
	}
	return append([]byte(preamble), body...), nil
}

// treeOf is the bootstrap as lists and ordered objects.
func treeOf(b *bootstrap.Bootstrap) (any, error) {
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("writing the bootstrap as JSON: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	tree, err := ordered(d)
	if err != nil {
		return nil, fmt.Errorf("reading the bootstrap's JSON: %w", err)
	}
	return tree, nil
}

// ordered reads one JSON value and keeps the order of object keys.
func ordered(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return orderedObject(d)
	case json.Delim('['):
		return orderedArray(d)
	}
	if n, ok := token.(json.Number); ok {
		return scalar(n)
	}
	return token, nil
}

func orderedObject(d *json.Decoder) (any, error) {
	object := yaml.MapSlice{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		value, err := ordered(d)
		if err != nil {
			return nil, err
		}
		object = append(object, yaml.MapItem{Key: key, Value: value})
	}
	_, err := d.Token()
	return object, err
}

func orderedArray(d *json.Decoder) (any, error) {
	array := []any{}
	for d.More() {
		value, err := ordered(d)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	_, err := d.Token()
	return array, err
}

// scalar keeps whole numbers whole.
func scalar(n json.Number) (any, error) {
	if !strings.ContainsAny(n.String(), ".eE") {
		return n.Int64()
	}
	return n.Float64()
}

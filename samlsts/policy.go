package samlsts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"unicode/utf8"
)

// maxPolicy is AWS's limit for a session policy, in characters.
const maxPolicy = 2048

// checkPolicy makes sure that a session policy is one in the grammar of IAM's
// JSON policies, each key known and given once. A store that read something
// else into it, or nothing, would not narrow. Meaning is the store's business.
func checkPolicy(policy string) error {
	if utf8.RuneCountInString(policy) > maxPolicy {
		return refuse(http.StatusBadRequest, "PackedPolicyTooLarge", "The session policy has more than %d characters", maxPolicy)
	}
	for _, c := range policy {
		if c != '\t' && c != '\n' && c != '\r' && (c < 0x20 || c > 0xFF) {
			return malformedPolicy("The session policy has a character outside of those that IAM allows")
		}
	}
	document, err := decodeJSON(policy)
	if err != nil {
		return malformedPolicy("The session policy is not JSON with each key once: %s", err)
	}
	if err := policyDocument(document); err != nil {
		return malformedPolicy("Syntax errors in policy: %s", err)
	}
	return nil
}

// jsonObject keeps keys as they are; JSON objects decode into it.
type jsonObject map[string]any

// decodeJSON reads one JSON value and refuses keys that are given twice, which
// encoding/json would let the last one win.
func decodeJSON(text string) (any, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	value, err := decodeValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows it")
	}
	return value, nil
}

func decodeValue(d *json.Decoder, depth int) (any, error) {
	if depth > 16 {
		return nil, errors.New("it is nested too deeply")
	}
	token, err := d.Token()
	if err != nil {
		return nil, errors.New("it is not well-formed")
	}
	switch token {
	case json.Delim('{'):
		return decodeObject(d, depth)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			item, err := decodeValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		_, err := d.Token()
		return list, err
	}
	return token, nil
}

func decodeObject(d *json.Decoder, depth int) (any, error) {
	object := jsonObject{}
	for d.More() {
		token, err := d.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return nil, errors.New("it is not well-formed")
		}
		if _, twice := object[key]; twice {
			return nil, errors.New("a key is given twice")
		}
		if object[key], err = decodeValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return object, err
}

// policyDocument checks the grammar of IAM's user guide, "Grammar of the IAM
// JSON policy language", as far as it concerns a session policy.
func policyDocument(value any) error {
	document, ok := value.(jsonObject)
	if !ok {
		return errors.New("the policy is not an object")
	}
	if err := onlyKeys(document, "Version", "Id", "Statement"); err != nil {
		return err
	}
	if v := document["Version"]; v != "2012-10-17" && v != "2008-10-17" {
		return errors.New("Version must be 2012-10-17")
	}
	statements, isList := document["Statement"].([]any)
	if !isList {
		statements = []any{document["Statement"]}
	}
	if len(statements) == 0 {
		return errors.New("there is no Statement")
	}
	for i, s := range statements {
		if err := statement(s); err != nil {
			return fmt.Errorf("statement %d: %w", i+1, err)
		}
	}
	return nil
}

func statement(value any) error {
	s, ok := value.(jsonObject)
	if !ok {
		return errors.New("it is not an object")
	}
	if err := onlyKeys(s, "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"); err != nil {
		return err
	}
	if sid, given := s["Sid"]; given {
		if _, ok := sid.(string); !ok {
			return errors.New("Sid must be a string")
		}
	}
	if s["Effect"] != "Allow" && s["Effect"] != "Deny" {
		return errors.New("Effect must be Allow or Deny")
	}
	for _, pair := range [][2]string{{"Action", "NotAction"}, {"Resource", "NotResource"}} {
		first, second := s[pair[0]], s[pair[1]]
		if first == nil {
			first, second = second, first
		}
		if second != nil || !stringOrStrings(first) {
			return fmt.Errorf("it needs %s or %s, as a string or a list of strings", pair[0], pair[1])
		}
	}
	return condition(s)
}

func condition(s jsonObject) error {
	value, given := s["Condition"]
	if !given {
		return nil
	}
	operators, ok := value.(jsonObject)
	if !ok {
		return errors.New("Condition must be an object")
	}
	for _, keys := range operators {
		if _, ok := keys.(jsonObject); !ok {
			return errors.New("each operator of Condition must be an object")
		}
	}
	return nil
}

func onlyKeys(object jsonObject, allowed ...string) error {
	for key := range object {
		if !slices.Contains(allowed, key) {
			return fmt.Errorf("the key %.40q does not belong there", key)
		}
	}
	return nil
}

func stringOrStrings(value any) bool {
	if s, ok := value.(string); ok {
		return s != ""
	}
	list, ok := value.([]any)
	for _, item := range list {
		if s, isString := item.(string); !isString || s == "" {
			return false
		}
	}
	return ok && len(list) > 0
}

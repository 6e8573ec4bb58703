package samlsts_test

import (
	"strings"
	"testing"
)

const narrow = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::imaging/radiology/*"]}]}`

func TestSessionPolicy(t *testing.T) {
	for name, policy := range map[string]string{
		"one statement without a list": `{"Version":"2012-10-17","Id":"x","Statement":{"Sid":"a","Effect":"Deny","NotAction":"s3:*","NotResource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}}`,
		"as long as may be":            narrow + strings.Repeat(" ", 2048-len(narrow)),
		"Latin-1":                      strings.Replace(narrow, "radiology", "Röntgen", 1),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			f := form(said().issue(t))
			f.Set("Policy", policy)
			r.accepts(r.call(f))
			if got := r.orders[0].Policy; got != policy {
				t.Errorf("the store was given %q", got)
			}
		})
	}
}

func TestRefusesByPolicy(t *testing.T) {
	malformed := "MalformedPolicyDocument"
	with := func(from, to string) string { return strings.Replace(narrow, from, to, 1) }
	for name, c := range map[string]struct{ policy, code string }{
		"one character too long":   {narrow + strings.Repeat(" ", 2049-len(narrow)), "PackedPolicyTooLarge"},
		"empty":                    {"", malformed},
		"not JSON":                 {"{", malformed},
		"a list":                   {"[]", malformed},
		"cut short":                {narrow[:len(narrow)-1], malformed},
		"a comma too many":         {with(`}]}`, `},]}`), malformed},
		"a value missing":          {with(`"Allow"`, ""), malformed},
		"a key without quotes":     {with(`"Effect"`, "Effect"), malformed},
		"a list of numbers":        {with(`["s3:GetObject"]`, `["s3:GetObject",1]`), malformed},
		"statements of text":       {`{"Version":"2012-10-17","Statement":["x"]}`, malformed},
		"null":                     {"null", malformed},
		"two documents":            {narrow + "{}", malformed},
		"no version":               {with(`"Version":"2012-10-17",`, ""), malformed},
		"another version":          {with("2012-10-17", "2026-01-01"), malformed},
		"an unknown key":           {with(`"Version"`, `"version":"x","Version"`), malformed},
		"a key twice":              {with(`"Effect":"Allow"`, `"Effect":"Deny","Effect":"Allow"`), malformed},
		"no statements":            {`{"Version":"2012-10-17","Statement":[]}`, malformed},
		"statement missing":        {`{"Version":"2012-10-17"}`, malformed},
		"a principal":              {with(`"Effect":"Allow"`, `"Effect":"Allow","Principal":"*"`), malformed},
		"another effect":           {with("Allow", "allow"), malformed},
		"no action":                {with(`"Action":["s3:GetObject"],`, ""), malformed},
		"two kinds of action":      {with(`"Action"`, `"NotAction":"s3:*","Action"`), malformed},
		"an empty list":            {with(`["s3:GetObject"]`, "[]"), malformed},
		"a number for an action":   {with(`"s3:GetObject"`, "1"), malformed},
		"a list for a condition":   {with(`"Effect"`, `"Condition":[],"Effect"`), malformed},
		"an operator without keys": {with(`"Effect"`, `"Condition":{"Bool":1},"Effect"`), malformed},
		"beyond Latin-1":           {with("radiology", "рентген"), malformed},
		"nested without end":       {strings.Repeat("[", 1000), malformed},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			f := form(said().issue(t))
			f.Set("Policy", c.policy)
			r.refuses(r.call(f), 400, c.code, "")
		})
	}
}

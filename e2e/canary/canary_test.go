package canary_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"net/url"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/e2e/canary"
)

const secret = `s3cr3t/+key "quoted" <&> 0123456789`

// A planted secret is found however it was written, and inside of something
// longer that was encoded as a whole.
func TestAPlantedSecretIsFound(t *testing.T) {
	for name, write := range map[string]func(string) string{
		"plain": func(s string) string { return s },
		"in Go": func(s string) string { return fmt.Sprintf("%q", s) },
		"JSON":  func(s string) string { text, _ := json.Marshal(s); return string(text) },
		"JSON twice": func(s string) string {
			text, _ := json.Marshal(s)
			text, _ = json.Marshal(string(text))
			return string(text)
		},
		"HTML": html.EscapeString,
		"a template": func(s string) string {
			var b strings.Builder
			_ = template.Must(template.New("").Parse(`<input value="{{.}}">`)).Execute(&b, s)
			return b.String()
		},
		"hex":       func(s string) string { return hex.EncodeToString([]byte(s)) },
		"HEX":       func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
		"%x":        func(s string) string { return fmt.Sprintf("%x", s) },
		"query":     url.QueryEscape,
		"path":      url.PathEscape,
		"base64":    func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"base64url": func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
		"every byte": func(s string) string {
			return "%" + strings.ToUpper(strings.Join(split(hex.EncodeToString([]byte(s))), "%"))
		},
	} {
		for shift := range 4 {
			text := []byte("before " + write(strings.Repeat("x", shift)+secret+" and more") + " after")
			if found := canary.Found(map[string]string{"the key": secret}, map[string][]byte{"log": text}); len(found) == 0 {
				t.Errorf("%s, after %d: not found in %s", name, shift, text)
			}
		}
	}
}

func split(s string) []string {
	var pairs []string
	for ; len(s) > 1; s = s[2:] {
		pairs = append(pairs, s[:2])
	}
	return pairs
}

func TestALongSecretIsFoundThoughItIsCut(t *testing.T) {
	var long strings.Builder
	for i := range 300 {
		fmt.Fprintf(&long, "%07d.", i*i)
	}
	texts := map[string][]byte{"log": []byte(long.String()[:600])}
	if found := canary.Found(map[string]string{"the assertion": long.String()}, texts); len(found) != 1 || found[0] != "the assertion is in log (plain)" {
		t.Errorf("found %v", found)
	}
}

func TestNothingIsFoundWhereNothingIs(t *testing.T) {
	texts := map[string][]byte{"log": []byte("s3cr3t and key and 0123456789"), "empty": nil}
	if found := canary.Found(map[string]string{"the key": secret}, texts); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	if found := canary.Found(map[string]string{"nothing": ""}, texts); len(found) != 1 || strings.Contains(found[0], secret) {
		t.Errorf("an empty secret: %v", found)
	}
}

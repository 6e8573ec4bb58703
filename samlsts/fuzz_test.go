package samlsts_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whatever is done to the bytes of a signed response: it is refused, or what
// is granted is what was signed.
func FuzzResponse(f *testing.F) {
	var seeds [][]byte
	for _, sign := range []string{"both", "assertion", "response"} {
		s := said()
		s.sign = sign
		raw, err := base64.StdEncoding.DecodeString(s.issue(f))
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, raw)
	}
	for which := range seeds {
		f.Add(which, 0, 0, "")
		f.Add(which, 900, 4, "<!-- -->")
		f.Add(which, 120, 0, ` ID="_assertion"`)
	}
	f.Fuzz(func(t *testing.T, which, at, drop int, insert string) {
		if which < 0 || which >= len(seeds) || at < 0 || at > len(seeds[which]) || drop < 0 || at+drop > len(seeds[which]) {
			return
		}
		raw := seeds[which]
		changed := string(raw[:at]) + insert + string(raw[at+drop:])
		r := newRig(t)
		request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form(encode([]byte(changed))).Encode()))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		got := r.send(request)
		if got.status >= 500 {
			t.Fatalf("answered %d: %s", got.status, r.last().Why)
		}
		if got.status == 200 && (got.Result.Subject != "4711" || got.Result.Issuer != entity || got.Result.Audience != acs || r.orders[0].SessionName != "ada@example.com") {
			t.Errorf("granted %+v", got.Result)
		}
	})
}

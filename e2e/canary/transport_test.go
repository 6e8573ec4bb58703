package canary

import (
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// kinds gives the kinds that a suite has kept.
func (s *Suite) kinds() (all []string) {
	for _, kind := range s.secrets {
		all = append(all, kind)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// What a browser is given by which somebody could get in is kept, and so is what
// it sends to get in. Pages that refuse are written down, and arrive whole.
func TestTheTransportKeepsWhatPasses(t *testing.T) {
	const refusal = "you may not, and here is your cookie: cookie-0123456789"
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/refused":
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, refusal)
		case "/acs":
			http.SetCookie(w, &http.Cookie{Name: "__Host-rolepass", Value: "cookie-0123456789"})
			http.SetCookie(w, &http.Cookie{Name: "theme", Value: "theme-0123456789"})
			w.Header().Set("Location", "https://s3.test/key?X-Amz-Signature=signature-0123456789&X-Amz-Security-Token=token-0123456789&X-Amz-Credential=credential/x&RelayState=state-0123456789")
			w.WriteHeader(http.StatusSeeOther)
		}
	}))
	defer application.Close()
	at, err := url.Parse(application.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := &Suite{}
	client := &http.Client{Transport: s.Transport(at.Hostname(), http.DefaultTransport), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	sent := base64.StdEncoding.EncodeToString([]byte("<samlp:Response><ds:SignatureValue>\nc2lnbmF0dXJl-of-it\n</ds:SignatureValue></samlp:Response>"))
	entered, err := client.PostForm(application.URL+"/acs", url.Values{"SAMLResponse": {sent}})
	if err != nil {
		t.Fatal(err)
	}
	_ = entered.Body.Close()
	if got := s.kinds(); !slices.Equal(got, []string{"a SAML response", "a cookie", "a relay state", "a session token", "a signature", "a signed query", "an assertion"}) {
		t.Errorf("kept are %v", got)
	}
	if _, kept := s.secrets["theme-0123456789"]; kept {
		t.Error("a cookie of the application's own is kept")
	}
	refused, err := client.Get(application.URL + "/refused")
	if err != nil {
		t.Fatal(err)
	}
	defer refused.Body.Close()
	if body, err := io.ReadAll(refused.Body); err != nil || string(body) != refusal {
		t.Errorf("the page arrives as %q, %v", body, err)
	}
	found, _, err := s.Found()
	if err != nil || len(found) != 1 || !strings.HasPrefix(found[0], "a cookie is in a page of the application's host (plain)") {
		t.Errorf("found %v, %v", found, err)
	}
}

// The key of a PEM is found without its frame, and a hexadecimal one as bytes.
func TestFilesAreKeptByTheirKeys(t *testing.T) {
	private := []byte("private-key-of-the-file-0123456789-0123456789-0123456789")
	s := &Suite{}
	s.KeepFile(slices.Concat(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("everybody may read it")}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	s.KeepFile([]byte("30313233343536373839616263646566\n"))
	for text, want := range map[string]string{
		string(private): "a private key", base64.StdEncoding.EncodeToString(private): "a private key",
		"0123456789abcdef": "the secret of a file", "30313233343536373839616263646566": "the secret of a file",
		"everybody may read it": "",
	} {
		one := &Suite{secrets: s.secrets}
		_, _ = one.Writer("log").Write([]byte(text))
		found, _, err := one.Found()
		if err != nil || (want == "") != (len(found) == 0) || want != "" && !strings.HasPrefix(found[0], want) {
			t.Errorf("of %.20s… found %v, %v; want %q", text, found, err, want)
		}
	}
}

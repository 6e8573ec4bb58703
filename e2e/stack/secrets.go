package stack

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// mayHold are the logs of parts that are given secrets by their nature, or are
// the tests' own. Label Studio and the store know the objects' keys; the store's
// audit has queries, the request logs have whole targets. Everything else that
// any part writes into the stack's folder holds none.
var mayHold = map[string][]string{
	"label_studio.log":          {"an object's key"},
	"label_studio_requests.log": {"an object's key"},
	"enterprise-requests.log":   {"an object's key"},
	"enterprise.log":            {"an object's key"},
	"s3.log":                    {"*"},
	"s3-requests.log":           {"an object's key", "a signed query"},
}

// watch has every log of the stack's folder searched at the end, for what it
// keeps secret from the start on.
func (s *Stack) watch() {
	s.Secrets.Logs(s.Dir, mayHold)
	for _, secret := range []string{s.rootSecret, s.roleSecret, s.appSecret, s.secretKey} {
		s.Secrets.Keep("a key of the stack", secret)
	}
	for _, p := range people {
		s.Secrets.Keep("a password", password(p.name))
	}
}

// keepsFiles keeps the keys that are in files, and those of the objects.
func (s *Stack) keepsFiles() error {
	for _, pattern := range []string{"keys/*.key", "saml-keys/*.pem", "*.secret"} {
		names, err := filepath.Glob(filepath.Join(s.Dir, pattern))
		if err != nil {
			return err
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			s.Secrets.KeepFile(text)
		}
	}
	for uri := range s.objects {
		s.Secrets.KeepURI(uri)
	}
	return nil
}

// seen keeps what a request carries by which somebody could get in, or which
// names an object, on its way to Label Studio or to the store.
func (s *Stack) seen(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Secrets.KeepSigned(r.URL.Query())
		scheme, credential, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		switch {
		case scheme == "Bearer" && strings.Count(credential, ".") == 2: // and no attacker's nonsense
			s.Secrets.Keep("a bearer", credential)
		case strings.HasPrefix(scheme, "AWS4-"):
			_, signature, _ := strings.Cut(credential, "Signature=")
			s.Secrets.Keep("a signature", signature)
			s.Secrets.Keep("a session token", r.Header.Get("X-Amz-Security-Token"))
		}
		next.ServeHTTP(w, r)
	})
}

// overheard is a token service: it passes calls on and keeps the assertions
// and the credentials that go by.
func (s *Stack) overheard(to string) (address string, err error) {
	if s.Secrets == nil {
		return to, nil
	}
	service, err := url.Parse(to)
	if err != nil {
		return "", err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(service)
			p.Out.Host = p.In.Host // it may be signed
		},
		ModifyResponse: s.keepsCredentials,
		ErrorHandler:   func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // as if there were nobody here either
	}
	address, err = s.serves(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if form, err := url.ParseQuery(string(body)); err == nil {
			s.Secrets.KeepResponse(form.Get("SAMLAssertion"))
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}))
	return "http://" + address, err
}

// keepsCredentials keeps what a token service gives.
func (s *Stack) keepsCredentials(response *http.Response) error {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	decoder := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.Token()
		if err != nil {
			return nil // at the end, or it is no XML
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if kind := map[string]string{"SecretAccessKey": "a secret access key", "SessionToken": "a session token"}[start.Name.Local]; kind != "" {
			var value string
			if err := decoder.DecodeElement(&value, &start); err == nil {
				s.Secrets.Keep(kind, value)
			}
		}
	}
}

// counted writes down what a Rolepass has counted, before it ends.
func (s *Stack) counted(admin string) {
	if s.Secrets == nil || admin == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, admin+"/metrics", nil)
	if err != nil {
		return
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return // it was ended already, by a test
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		s.Secrets.Fails(fmt.Sprintf("the metrics cannot be searched: %s, %v", response.Status, err))
		return
	}
	_, _ = s.Secrets.Writer("the metrics").Write(text)
}

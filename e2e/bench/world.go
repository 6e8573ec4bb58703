package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/protobuf/proto"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/envoy/contract"
	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/labelstudio/signin"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
	"github.com/rolepass/rolepass/state"
)

// size is how much a world holds.
type size struct {
	sessions, grants, buckets int
	token                     int // bytes of a session token
	// working is how many of the sessions ask, in turn; 0: all.
	working int
	// host is the S3 server's, on loopback; empty: AWS.
	host string
}

// usual is an ordinary day; AWS gives tokens of about a kilobyte.
var usual = size{sessions: 1000, grants: 1, buckets: 1, token: 1000}

const (
	objects = 1000
	role    = "arn:aws:iam::111122223333:role/radiology"
	host    = "label.example.com"
)

// stateMiB is what a configuration for so many sessions says. A token in base64
// is kept as its bytes.
func (s size) stateMiB() int {
	const each = 1100 // of a session, beside its token
	return max(64, s.sessions*(s.token*27/32+each)>>20)
}

// world is a Decider with sessions, and an application that answers once: the
// clock of its client stands still, so that its answers stay.
type world struct {
	*decision.Decider
	size size
}

func newWorld(size size) (*world, error) {
	sealer, err := newSealer()
	if err != nil {
		return nil, err
	}
	store := state.NewMemory(size.stateMiB()<<20, time.Now)
	manager := &session.Manager{Store: store, Sealer: sealer, Now: time.Now, Rand: tokens(), Idle: time.Hour, Absolute: 8 * time.Hour, MostOpened: size.stateMiB() << 10 / 16}
	cache := credcache.New(store, sealer, size.stateMiB()<<20/8, time.Now)
	set, err := size.grantSet()
	if err != nil {
		return nil, err
	}
	buckets, err := size.bucketSet()
	if err != nil {
		return nil, err
	}
	w := &world{&decision.Decider{
		Hosts: []string{host}, PublicOrigin: "https://" + host,
		Login: &login.Service{PublicURL: "https://" + host, ACSPath: "/rolepass/saml/acs"}, Sessions: manager, Grants: set,
		Buckets: buckets, App: application(min(size.stateMiB()/8, 64) << 20),
		Bearer:     signin.NewBearers(signin.Bearer{Key: "key", Now: time.Now, Rand: rand.Reader}).Authorization,
		AppCookies: []string{"sessionid"}, Cache: cache, Signer: &presign.Signer{}, Deadlines: decision.DefaultDeadlines(), Now: time.Now,
	}, size}
	return w, w.signIn(manager, cache)
}

// tokens are the same in both processes, so that the client knows the cookies.
func tokens() *mrand.ChaCha8 { return mrand.NewChaCha8([32]byte{7}) }

func (w *world) signIn(manager *session.Manager, cache *credcache.Cache) error {
	for i := range w.size.sessions {
		s, _, err := manager.New(time.Time{})
		if err != nil {
			return err
		}
		s.AppUser, s.Roles, s.Principal, s.IdPSession = 1, []string{role}, person(i), fmt.Sprintf("_%032x", i)
		credentials := &presign.Credentials{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "secret", SessionToken: presign.Secret(strings.Repeat("t", w.size.token)), Expires: time.Now().Add(time.Hour), STS: "aws"}
		if err := cache.Put(context.Background(), credcache.Key{Session: s, Role: role}, credentials); err != nil {
			return err
		}
		if err := manager.Keep(context.Background(), s); err != nil {
			return err
		}
	}
	return nil
}

// person is somebody as a company's IdP names them.
func person(i int) saml.Principal {
	return saml.Principal{
		IdP: "company", NameID: fmt.Sprintf("G-%032x", i), NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
		SessionName: fmt.Sprintf("person.%d@example.com", i), Email: fmt.Sprintf("person.%d@example.com", i), FirstName: "Maria", LastName: "Example",
	}
}

func newSealer() (*state.Sealer, error) {
	dir, err := os.MkdirTemp("", "bench-keys-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if _, err := state.NewKey(dir, time.Now(), rand.Reader); err != nil {
		return nil, err
	}
	ring, err := state.LoadKeyring(dir)
	return &state.Sealer{Keys: ring, Now: time.Now, Rand: rand.Reader}, err
}

// application has one task for each object. It answers without a network: what is
// measured is not its.
func application(maxBytes int) *client.Client {
	start := time.Now()
	app := client.New(&url.URL{Scheme: "http", Host: "application"}, &http.Client{Transport: tasks{}}, func() time.Time { return start })
	app.MaxBytes = maxBytes
	return app
}

type tasks struct{}

func (tasks) RoundTrip(r *http.Request) (*http.Response, error) {
	out := httptest.NewRecorder()
	id, err := strconv.Atoi(strings.Trim(strings.TrimPrefix(r.URL.Path, "/api/tasks/"), "/"))
	if err != nil {
		out.WriteHeader(http.StatusNotFound)
	} else {
		fmt.Fprintf(out, `{"id": %d, "project": 12, "data": {"image": %q}}`, id, uri(id-1))
	}
	return out.Result(), nil
}

func uri(i int) string { return fmt.Sprintf("s3://imaging/radiology/2026/study-%04d/slice 1+2.png", i) }

// grantSet gives the role its prefix; the other grants are another role's.
func (s size) grantSet() (*grants.Set, error) {
	var list []grants.Grant
	for i := range s.grants {
		to, uri := role, "s3://imaging/radiology/"
		if i > 0 {
			to, uri = role+strconv.Itoa(i), fmt.Sprintf("s3://imaging/radiology/part-%d/", i)
		}
		prefix, err := grants.ParsePrefix(uri)
		if err != nil {
			return nil, err
		}
		list = append(list, grants.Grant{Role: to, Read: []grants.Prefix{prefix}, Scope: grants.Scope{Projects: []int64{12}}})
	}
	set, problems := grants.Compile(list, nil)
	return set, errors.Join(problems...)
}

func (s size) bucketSet() (map[string]presign.Bucket, error) {
	all, endpoint := map[string]presign.Bucket{}, ""
	if s.host != "" {
		endpoint = "http://" + s.host
	}
	for i := range s.buckets {
		name := "imaging"
		if i > 0 {
			name += strconv.Itoa(i)
		}
		bucket, err := presign.NewBucket(name, "eu-west-1", "aws", endpoint)
		if err != nil {
			return nil, err
		}
		all[name] = bucket
	}
	return all, nil
}

// cookies are those of the sessions, in the order in which they are made.
func cookies(sessions int) ([]string, error) {
	manager := &session.Manager{Now: time.Now, Rand: tokens(), Idle: time.Hour, Absolute: time.Hour}
	var all []string
	for range sessions {
		_, token, err := manager.New(time.Time{})
		if err != nil {
			return nil, err
		}
		all = append(all, session.CookieName+"="+token)
	}
	return all, nil
}

// fetching is the path at which Label Studio shows an object.
func fetching(i int) string {
	return "/tasks/" + strconv.Itoa(i+1) + "/resolve/?fileuri=" + base64.URLEncoding.EncodeToString([]byte(uri(i)))
}

// requests are CheckRequests of about 1.4 kB with 20 headers, encoded. Of those
// that are shown only what our configuration of Envoy shows, there are six.
func requests(kind string, s size) ([][]byte, error) {
	sessions := s.sessions
	if s.working > 0 {
		sessions = s.working
	}
	cookies, err := cookies(sessions)
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for i := range max(sessions, objects) {
		path := fetching(i % objects)
		if strings.HasPrefix(kind, "pass") {
			path = fmt.Sprintf("/api/tasks?page=%d&page_size=30&view=1&interaction=scroll&project=12", i%objects)
		}
		text, err := proto.Marshal(check(path, cookies[i%sessions], strings.HasSuffix(kind, " shown")))
		if err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, nil
}

func check(path, cookie string, shown bool) *authv3.CheckRequest {
	headers := []*corev3.HeaderValue{}
	for _, h := range [][2]string{
		{"accept", "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"}, {"cookie", "csrftoken=0123456789abcdef0123456789abcdef; theme=dark; ajs_anonymous_id=%22f0b7e4d2-3a1c-4b5d-8e9f-0a1b2c3d4e5f%22; " + cookie},
		{"sec-fetch-site", "same-origin"}, {"sec-fetch-mode", "no-cors"}, {"sec-fetch-dest", "image"}, {"x-request-id", "5f6cfe26-3f5b-4f6e-9d5a-0123456789ab"},
		{"user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"}, {"accept-language", "en-GB,en;q=0.9,de;q=0.8"},
		{"accept-encoding", "gzip, deflate, br, zstd"}, {"referer", "https://label.example.com/projects/12/data?tab=3"}, {"priority", "i"}, {"cache-control", "no-cache"}, {"pragma", "no-cache"},
		{"sec-ch-ua", `"Chromium";v="156", "Not)A;Brand";v="24"`}, {"sec-ch-ua-mobile", "?0"}, {"sec-ch-ua-platform", `"Linux"`}, {"x-forwarded-proto", "https"}, {"x-forwarded-for", "10.1.2.3"}, {"dnt", "1"}, {"te", "trailers"},
	} {
		if shown && !slices.Contains(contract.ForwardedHeaders(), h[0]) {
			continue
		}
		headers = append(headers, &corev3.HeaderValue{Key: h[0], RawValue: []byte(h[1])})
	}
	return &authv3.CheckRequest{Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{
		Id: "1234567890123456789", Method: "GET", Path: path, Host: host, Scheme: "https", Protocol: "HTTP/2", HeaderMap: &corev3.HeaderMap{Headers: headers},
	}}}}
}

package server

import (
	"context"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/saml/samltest"
)

// others are everybody whom a Rolepass asks, as they should be; a test changes one.
type others struct {
	metadata, sts, s3, app http.HandlerFunc
}

func asTheyShouldBe(t *testing.T) *others {
	idp := newIdP(t, "https://idp.test")
	return &others{
		metadata: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(idp.Metadata()) },
		sts: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://aws.test/iam", http.StatusFound)
		},
		s3: func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodHead || r.URL.Path != "/imaging" {
				t.Errorf("S3 was asked %s %s", r.Method, r.URL)
			}
			w.Header().Set("X-Amz-Bucket-Region", "eu-west-1")
			w.WriteHeader(http.StatusForbidden)
		},
		app: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"release": "1.23.2"}`)) },
	}
}

// looked has the doctor look at them.
func (o *others) looked(ctx context.Context, t *testing.T, now time.Time) map[string]error {
	t.Helper()
	serve := func(h http.HandlerFunc) *url.URL {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if len(r.Header["Authorization"])+len(r.Header["Cookie"])+len(r.Header["X-Amz-Security-Token"]) > 0 || r.URL.RawQuery != "" {
				t.Errorf("%s was asked with a credential: %v", r.URL, r.Header)
			}
			h(w, r)
		}))
		t.Cleanup(s.Close)
		u, err := url.Parse(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	c := configured(t, o.metadata)
	c.STS[0].Endpoint = serve(o.sts).String()
	s3 := serve(o.s3)
	c.Buckets[0].Scheme, c.Buckets[0].Host = s3.Scheme, s3.Host
	c.LabelStudio.URL = serve(o.app)
	seen := map[string]error{}
	for _, one := range Doctor(ctx, c, func() time.Time { return now }) {
		if one.Err == nil && one.Note == "" {
			t.Errorf("%s is fine, and nothing is said of it", one.Key)
		}
		seen[one.Key] = one.Err
	}
	if len(seen) != 4 {
		t.Errorf("it looked at %v", seen)
	}
	return seen
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func inRegion(region string, code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amz-Bucket-Region", region)
		w.WriteHeader(code)
	}
}

func TestTheDoctorFindsWhatDoesNotFit(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")
	end := time.Now().Add(-time.Hour)
	key, err := samltest.NewKeyValid(2048, end.AddDate(-1, 0, 0), end)
	if err != nil {
		t.Fatal(err)
	}
	ended, err := samltest.New(samltest.Options{EntityID: "https://idp.test", SSOURL: "https://idp.test/sso", Key: key})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change    func(*others)
		key, says string
	}{
		"nothing": {func(*others) {}, "", ""},
		"a sign-in page for metadata": {func(o *others) {
			o.metadata = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<!DOCTYPE html>")) }
		}, "idps[0].metadata", "web page"},
		"metadata that has ended": {func(o *others) {
			o.metadata = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(ended.Metadata()) }
		}, "idps[0].metadata", "every login is refused"},
		"an STS that hangs up": {func(o *others) { o.sts = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) } }, "sts[0]", "nobody can sign in without it"},
		"a clock that is slow": {func(o *others) {
			o.sts = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", time.Now().Add(-2*time.Minute).UTC().Format(http.TimeFormat))
			}
		}, "sts[0]", "set the clocks by NTP"},
		"a clock that is fast": {func(o *others) {
			o.s3 = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", time.Now().Add(2*time.Minute).UTC().Format(http.TimeFormat))
				w.WriteHeader(http.StatusForbidden)
			}
		}, "buckets[0]", "set the clocks by NTP"},
		"a bucket in another region": {func(o *others) { o.s3 = inRegion("eu-central-1", http.StatusMovedPermanently) }, "buckets[0]", "the bucket is in eu-central-1"},
		"no such bucket":             {func(o *others) { o.s3 = status(http.StatusNotFound) }, "buckets[0]", "there is no bucket imaging"},
		"a bucket that is public":    {func(o *others) { o.s3 = status(http.StatusOK) }, "buckets[0]", "block public access"},
		"a server that is not S3":    {func(o *others) { o.s3 = status(http.StatusBadGateway) }, "buckets[0]", "answers 502"},
		"another Label Studio": {func(o *others) {
			o.app = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"release": "9.9"}`)) }
		}, "label_studio.url", "9.9 was never tested"},
		"no Label Studio at that place": {func(o *others) { o.app = status(http.StatusNotFound) }, "label_studio.url", "does not answer as Label Studio does"},
	} {
		t.Run(name, func(t *testing.T) {
			o := asTheyShouldBe(t)
			c.change(o)
			for key, err := range o.looked(t.Context(), t, time.Now()) {
				switch {
				case key != c.key && err != nil:
					t.Errorf("%s: %v", key, err)
				case key == c.key && (err == nil || !strings.Contains(err.Error(), c.says)):
					t.Errorf("%s: %v; want it to say %q", key, err, c.says)
				}
			}
		})
	}
}

// TestTheDoctorSaysNoMoreThanItSaw: AWS names the region of a bucket that is there;
// other servers say no to whatever is asked without a credential.
func TestTheDoctorSaysNoMoreThanItSaw(t *testing.T) {
	for region, says := range map[string]string{"eu-west-1": "is there, in eu-west-1", "": "does not say whether"} {
		s3 := httptest.NewServer(inRegion(region, http.StatusForbidden))
		t.Cleanup(s3.Close)
		d := &doctor{now: time.Now, direct: http.DefaultClient}
		note, err := d.bucket(t.Context(), config.Bucket{Bucket: presign.Bucket{Name: "imaging", Region: "eu-west-1", Scheme: "http", Host: strings.TrimPrefix(s3.URL, "http://")}})
		if err != nil || !strings.Contains(note, says) {
			t.Errorf("%q, %v; want %q", note, err, says)
		}
	}
}

// TestTheDoctorDoesNotWait for one that hangs, and says so.
func TestTheDoctorDoesNotWait(t *testing.T) {
	o := asTheyShouldBe(t)
	o.s3 = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	for key, err := range o.looked(ctx, t, time.Now()) {
		if (key == "buckets[0]") != (err != nil) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// TestTheDoctorAsksAWSItself at the address that the SDK has for a region.
func TestTheDoctorAsksAWSItself(t *testing.T) {
	var asked string
	d := &doctor{now: time.Now, http: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		asked = r.URL.String()
		return &http.Response{StatusCode: http.StatusFound, Body: http.NoBody}, nil
	})}}
	if _, err := d.sts(t.Context(), config.STS{Region: "cn-north-1"}); err != nil || asked != "https://sts.cn-north-1.amazonaws.com.cn" {
		t.Errorf("asked %s, %v", asked, err)
	}
}

// TestTheDoctorTrustsWhomEnvoyTrusts: a store of one's own has a certificate of
// one's own authority.
func TestTheDoctorTrustsWhomEnvoyTrusts(t *testing.T) {
	store := httptest.NewUnstartedServer(status(http.StatusForbidden))
	store.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that fails
	store.StartTLS()
	t.Cleanup(store.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: store.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for ca, trusted := range map[string]bool{file: true, "/etc/envoy/is-elsewhere.pem": false} {
		c := configured(t, asTheyShouldBe(t).metadata)
		c.Buckets[0].Host, c.Envoy.CA, c.STS = strings.TrimPrefix(store.URL, "https://"), ca, nil
		for _, one := range Doctor(t.Context(), c, time.Now) {
			if one.Key == "buckets[0]" && (one.Err == nil) != trusted {
				t.Errorf("with %s: %v", ca, one.Err)
			}
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rolepass/rolepass/e2e/s3guard"
)

// readsLikeABackend is what an ML backend does with a task: Label Studio's own
// SDK fetches the object that the task names.
const readsLikeABackend = `
import sys
from label_studio_sdk._extensions.label_studio_tools.core.utils.io import get_local_path
public, token, task, uri, cache = sys.argv[1:]
path = get_local_path(uri, hostname=public, access_token=token, task_id=int(task), cache_dir=cache)
sys.stdout.buffer.write(open(path, "rb").read())
`

// A program with the token of a Label Studio user reads objects under its own
// role where a workload is configured for that user, through the real SDK; the
// same token without a workload reads nothing.
func TestAWorkloadReadsUnderItsOwnRole(t *testing.T) {
	s := running(t)
	v := visits(t)
	m := v.asMember("radiologist")
	task := readable(v.project("Radiology"), "radiologist")[1]
	want := v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK).body
	hidden := readable(v.project("Research"), "researcher")[0]
	access, revoke := m.token()
	defer revoke()
	program := visits(t)
	bearer := "Authorization: Bearer " + access
	program.mustBe(program.asks("GET", program.fetching(task.ID, task.URI), nil, bearer), http.StatusUnauthorized)

	python := filepath.Join(filepath.Dir(s.Tools.LabelStudio), "python")
	err := s.WithWorkload(t.Context(), m.id, func() {
		seen := len(s3Saw(t))
		cmd := exec.CommandContext(t.Context(), python, "-c", readsLikeABackend, v.demo.Public, access, strconv.FormatInt(task.ID, 10), task.URI, t.TempDir())
		var said bytes.Buffer
		cmd.Stderr = &said
		got, err := cmd.Output()
		if err != nil {
			t.Fatalf("the SDK: %v: %.2000s", err, said.String())
		}
		if !bytes.Equal(got, want) {
			t.Errorf("the SDK read %d bytes, not the object's %d", len(got), len(want))
		}
		if more := s3Saw(t)[seen:]; len(more) == 0 || slices.ContainsFunc(more, func(r s3guard.Record) bool { return r.AccessKeyID == "" || r.Status != http.StatusOK }) {
			t.Errorf("S3 saw %d requests of the program", len(more))
		}
		// Not another role's, not without a task, not with another's token.
		program.mustBe(program.asks("GET", program.fetching(hidden.ID, hidden.URI), nil, bearer), http.StatusForbidden)
		program.mustBe(program.asks("GET", program.fetching(task.ID, hidden.URI), nil, bearer), http.StatusForbidden)
		program.mustBe(program.asks("GET", program.fetching(task.ID, task.URI), nil, "Authorization: Bearer made-up"), http.StatusUnauthorized)
		program.refusedAs(program.asks("GET", program.fetching(hidden.ID, hidden.URI), nil, bearer), "no_grant")
	})
	if err != nil {
		t.Fatal(err)
	}
}

// token makes a token of the member's; there can be one at a time.
func (m member) token() (access string, revoke func()) {
	m.t.Helper()
	var pat struct{ Token string }
	if err := json.Unmarshal(m.mustBe(m.through("POST", "/api/token/", asJSON, "{}"), http.StatusCreated).body, &pat); err != nil {
		m.t.Fatal(err)
	}
	refresh := spelled(m.t, map[string]any{"refresh": pat.Token})
	var given struct{ Access string }
	if err := json.Unmarshal(m.directly("POST", "/api/token/refresh/", asJSON, refresh).body, &given); err != nil || given.Access == "" {
		m.t.Fatal("Label Studio gives no access token")
	}
	return given.Access, func() { m.directly("POST", "/api/token/blacklist/", asJSON, refresh) }
}

// instance is the metadata service of an instance, version two: it says nothing
// without a session token.
func instance(t *testing.T, id, secret string) string {
	const session, roles = "a-session", "/latest/meta-data/iam/security-credentials/"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ttl := r.Header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds")
		switch {
		case r.Method == "PUT" && r.URL.Path == "/latest/api/token" && ttl != "":
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", ttl)
			fmt.Fprint(w, session)
		case r.Method != "GET" || r.Header.Get("X-Aws-Ec2-Metadata-Token") != session:
			t.Errorf("%s %s without a session token", r.Method, r.URL.Path)
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == roles:
			fmt.Fprint(w, "node")
		case r.URL.Path == roles+"node":
			fmt.Fprintf(w, `{"Code": "Success", "AccessKeyId": %q, "SecretAccessKey": %q, "Expiration": %q}`, id, secret, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// The role is taken with what the instance's metadata service gives, which a real
// store verifies; and with nothing else where it gives nothing, though there are
// keys in the environment.
func TestAWorkloadsRoleIsTakenByItsInstance(t *testing.T) {
	s := running(t)
	v, program := visits(t), visits(t)
	m := v.asMember("radiologist")
	task := readable(v.project("Radiology"), "radiologist")[1]
	access, revoke := m.token()
	defer revoke()
	bearer := "Authorization: Bearer " + access
	id, secret := s.RoleKeys()
	err := s.WithWorkloadOnInstance(t.Context(), m.id, instance(t, id, secret), func() {
		program.settles(task.ID, task.URI, bearer, http.StatusOK)
	})
	if err != nil {
		t.Fatal(err)
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	err = s.WithWorkloadOnInstance(t.Context(), m.id, gone.URL, func() {
		program.settles(task.ID, task.URI, bearer, http.StatusServiceUnavailable)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// settles fetches until the role is taken, or no longer can be.
func (v *visitor) settles(task int64, uri, bearer string, status int) {
	v.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var got answer
	for began := time.Now(); ; <-tick.C {
		got = v.asks("GET", v.fetching(task, uri), nil, bearer)
		if waited := time.Since(began); got.StatusCode == http.StatusOK || waited > 10*time.Second || waited > 3*time.Second && status != http.StatusOK {
			break
		}
	}
	v.mustBe(got, status)
}

package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
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

// exportsWithImages is what a script does that wants an export with its pictures:
// Label Studio's own converter makes it of the plain export and fetches each. The
// server's own export of that kind is a side door.
const exportsWithImages = `
import json, os, sys, tempfile
from label_studio_sdk.converter import Converter
public, token, task, uri = sys.argv[1:]
config = '<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image"><Label value="spot"/></RectangleLabels></View>'
box = {"type": "rectanglelabels", "from_name": "box", "to_name": "image", "original_width": 320, "original_height": 240,
    "value": {"x": 1, "y": 1, "width": 5, "height": 5, "rotation": 0, "rectanglelabels": ["spot"]}}
with tempfile.TemporaryDirectory() as out:
    plain, packed = os.path.join(out, "plain.json"), os.path.join(out, "yolo")
    with open(plain, "w") as file:
        json.dump([{"id": int(task), "data": {"image": uri}, "annotations": [{"id": 1, "completed_by": 1, "result": [box]}]}], file)
    Converter(config, None, download_resources=True, access_token=token, hostname=public).convert_to_yolo(plain, packed, is_dir=False)
    (name,) = os.listdir(os.path.join(packed, "images"))
    with open(os.path.join(packed, "images", name), "rb") as file:
        sys.stdout.buffer.write(file.read())
`

// withSDK runs a program on Label Studio's own SDK, and gives what it writes.
func withSDK(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	python := filepath.Join(filepath.Dir(running(t).Tools.LabelStudio), "python")
	cmd := exec.CommandContext(t.Context(), python, append([]string{"-c", program}, args...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	got, err := cmd.Output()
	if err != nil {
		t.Fatalf("the SDK: %v: %.2000s", err, said.String())
	}
	return got
}

// A program with the token of a Label Studio user reads objects under its own
// role where a workload is configured for that user, through the real SDK, with
// each kind of token that Label Studio has; the same token without a workload
// reads nothing, and nor does anybody else's, or one that was revoked.
func TestAWorkloadReadsUnderItsOwnRole(t *testing.T) {
	s := running(t)
	v := visits(t)
	m := v.asMember("radiologist")
	task := readable(v.project("Radiology"), "radiologist")[1]
	want := v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK).body
	hidden := readable(v.project("Research"), "researcher")[0]
	legacy := m.legacyToken()
	personal, revoke := m.personalToken()
	defer revoke()
	access := m.changed(personal)
	owners, err := s.Bearer(owner)
	if err != nil {
		t.Fatal(err)
	}
	stewards, revokeStewards := visits(t).asMember("steward").token()
	defer revokeStewards()
	revoked, revokes := visits(t).asMember("both").personalToken()
	revokes()
	program := visits(t)
	bearer := "Authorization: Bearer " + access
	program.mustBe(program.asks("GET", program.fetching(task.ID, task.URI), nil, bearer), http.StatusUnauthorized)
	// Label Studio itself takes a personal token for no object.
	program.mustBe(program.asks("GET", "http://"+s.DirectHost()+fetchPath(task.ID, task.URI), nil, "Authorization: Bearer "+personal), http.StatusUnauthorized)

	err = s.WithWorkload(t.Context(), m.id, func() {
		for kind, token := range map[string]string{"a token of five minutes": access, "a personal token": personal, "a legacy token": legacy} {
			seen, told := len(s3Saw(t)), len(auditOf(t, s.Demo.Logs["audit"]))
			if got := withSDK(t, readsLikeABackend, v.demo.Public, token, strconv.FormatInt(task.ID, 10), task.URI, t.TempDir()); !bytes.Equal(got, want) {
				t.Errorf("with %s the SDK read %d bytes, not the object's %d", kind, len(got), len(want))
			}
			readAsPipeline(t, kind, s3Saw(t)[seen:], task.URI)
			program.auditedPipeline(told, task.ID)
		}
		if got := withSDK(t, exportsWithImages, v.demo.Public, personal, strconv.FormatInt(task.ID, 10), task.URI); !bytes.Equal(got, want) {
			t.Errorf("an export has %d bytes of the picture, not its %d", len(got), len(want))
		}
		// Not another role's, not without a task, not with another's token.
		program.refusedAs(program.asks("GET", program.fetching(hidden.ID, hidden.URI), nil, bearer), "no_grant")
		program.mustBe(program.asks("GET", program.fetching(task.ID, hidden.URI), nil, bearer), http.StatusForbidden)
		program.mustBe(program.asks("GET", program.fetching(task.ID, task.URI), nil, "Authorization: Bearer made-up"), http.StatusUnauthorized)
		for _, token := range []string{owners.Reveal(), "Bearer " + stewards} {
			program.refusedAs(program.asks("GET", program.fetching(task.ID, task.URI), nil, "Authorization: "+token), "workload_unknown")
		}
		program.mustBe(program.asks("GET", program.fetching(task.ID, task.URI), nil, "Authorization: Bearer "+revoked), http.StatusUnauthorized)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// readAsPipeline fails unless the store gave the object, each time, to the role
// of the workload.
func readAsPipeline(t *testing.T, with string, requests []s3guard.Record, uri string) {
	t.Helper()
	if len(requests) == 0 {
		t.Errorf("with %s nothing came to S3", with)
	}
	for _, request := range requests {
		if request.Status != http.StatusOK {
			t.Errorf("with %s S3 answered %d", with, request.Status)
			continue
		}
		if read := storeRead(t, request.AccessKeyID); read.Parent != "role-radiology" || read.Object != uri {
			t.Errorf("with %s the S3 server logged %+v", with, read)
		}
	}
}

// auditedPipeline waits until the audit has, behind what was there before, a fetch
// by the workload.
func (v *visitor) auditedPipeline(before int, task int64) {
	v.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < logPatience; <-tick.C {
		for _, one := range auditOf(v.t, v.demo.Logs["audit"])[before:] {
			if one.Code == "stream" && one.IdP == "workload" && one.Who == "pipeline" && one.Task == task && strings.HasSuffix(one.Role, ":role/radiology") {
				return
			}
		}
	}
	v.t.Error("the audit does not say that the workload read")
}

// legacyToken is the member's token that does not end, which programs send as
// "Token". Label Studio takes it where the organization says so.
func (m member) legacyToken() string {
	m.t.Helper()
	m.mustBe(m.directly("POST", "/api/jwt/settings", asJSON, `{"api_tokens_enabled": true, "legacy_api_tokens_enabled": true}`), http.StatusOK)
	var legacy struct{ Token string }
	if err := json.Unmarshal(m.mustBe(m.directly("GET", "/api/current-user/token", asJSON, ""), http.StatusOK).body, &legacy); err != nil || len(legacy.Token) != 40 {
		m.t.Fatalf("Label Studio gives no legacy token (%v)", err)
	}
	return legacy.Token
}

// personalToken makes the token that Label Studio gives to programs; there can be
// one at a time.
func (m member) personalToken() (token string, revoke func()) {
	m.t.Helper()
	var pat struct{ Token string }
	if err := json.Unmarshal(m.mustBe(m.through("POST", "/api/token/", asJSON, "{}"), http.StatusCreated).body, &pat); err != nil || pat.Token == "" {
		m.t.Fatalf("Label Studio gives no personal token (%v)", err)
	}
	secrets.Keep("a personal token of Label Studio", pat.Token)
	return pat.Token, func() {
		m.directly("POST", "/api/token/blacklist/", asJSON, spelled(m.t, map[string]any{"refresh": pat.Token}))
	}
}

// token makes a token of five minutes.
func (m member) token() (access string, revoke func()) {
	m.t.Helper()
	personal, revoke := m.personalToken()
	return m.changed(personal), revoke
}

// changed is what Label Studio makes of a personal token.
func (m member) changed(personal string) string {
	m.t.Helper()
	var given struct{ Access string }
	if err := json.Unmarshal(m.directly("POST", "/api/token/refresh/", asJSON, spelled(m.t, map[string]any{"refresh": personal})).body, &given); err != nil || given.Access == "" {
		m.t.Fatal("Label Studio gives no access token")
	}
	return given.Access
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

// The role is taken with the token of the pod in which Rolepass runs: a real
// store verifies it with the issuer's keys, and gives credentials for the call that
// nobody signed. With a token of somebody else's nothing is given, though there are
// keys in the environment.
func TestAWorkloadsRoleIsTakenByItsPod(t *testing.T) {
	s := running(t)
	v, program := visits(t), visits(t)
	m := v.asMember("radiologist")
	task := readable(v.project("Radiology"), "radiologist")[2]
	access, revoke := m.token()
	defer revoke()
	for forged, status := range map[bool]int{false: http.StatusOK, true: http.StatusServiceUnavailable} {
		token, err := s.PodToken(forged)
		if err != nil {
			t.Fatal(err)
		}
		told := make(chan string, 64)
		err = s.WithWorkloadInPod(t.Context(), m.id, token, func(role string, err error) {
			if told <- role; err != nil {
				t.Errorf("the token service was asked otherwise: %v", err)
			}
		}, func() {
			seen := len(s3Saw(t))
			program.settles(task.ID, task.URI, "Authorization: Bearer "+access, status)
			if role := <-told; !strings.HasSuffix(role, ":role/radiology") {
				t.Errorf("the token was shown for the role %q", role)
			}
			requests := s3Saw(t)[seen:]
			if (len(requests) == 1) != (status == http.StatusOK) {
				t.Fatalf("with a forged token (%t) S3 saw %d requests", forged, len(requests))
			}
			if len(requests) == 1 {
				if read := storeRead(t, requests[0].AccessKeyID); read.Object != task.URI || read.Parent == "" || read.Parent == "root" || read.Parent == "role-radiology" {
					t.Errorf("the S3 server logged %+v", read)
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
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
		if waited := time.Since(began); got.StatusCode == http.StatusOK || waited > time.Minute || waited > 3*time.Second && status != http.StatusOK {
			break
		}
	}
	v.mustBe(got, status)
}

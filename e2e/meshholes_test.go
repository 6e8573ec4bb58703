//go:build mesh

package e2e_test

import (
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hole is something that a gateway may leave open. It is tried with a Check that
// says yes to all that it is asked.
type hole struct {
	name string
	// streams lets Check send the request to S3.
	streams bool
	// open tries it, and says whether it is.
	open func(*testing.T, *around, *door) bool
}

// marked is the header by which native.yaml chooses S3.
const marked = "x-rolepass-s3: yes"

// holes are those of Istio's own words that were found by trying, each a way of
// what is guarded past the guard.
var holes = []hole{
	{"a port in Host passes the policy by", false, func(t *testing.T, a *around, d *door) bool {
		name, _, _ := strings.Cut(d.host, ":")
		for _, host := range []string{name + ":1", strings.ToUpper(name) + ":1", name + ":"} {
			d.asks(t, host)
		}
		return a.check.asked.Load() < int64(a.app.count())
	}},
	{"a client chooses the route to S3", false, func(t *testing.T, a *around, d *door) bool {
		d.asks(t, d.host, marked)
		return a.s3.any(anything)
	}},
	{"the signed path reaches the application", true, func(t *testing.T, a *around, d *door) bool {
		d.asks(t, d.host)
		return a.app.any(isSigned)
	}},
	{"another name than S3's is believed", true, func(t *testing.T, a *around, d *door) bool {
		a.misnamed.Store(true)
		defer a.misnamed.Store(false)
		d.asks(t, d.host, marked)
		return a.s3.any(anything)
	}},
	{"the access log has the signature", true, func(t *testing.T, a *around, d *door) bool {
		d.asks(t, d.host, marked)
		return strings.Contains(d.logs(t), "X-Amz-Signature=")
	}},
	{"a name with an underscore passes for one with a hyphen", false, func(t *testing.T, a *around, d *door) bool {
		d.asks(t, d.host, "x_forwarded_user: admin")
		return a.app.any(func(r *http.Request) bool { return len(r.Header["X_forwarded_user"]) > 0 })
	}},
}

// logs waits until each request has its line, and gives all.
func (d *door) logs(t *testing.T) string {
	t.Helper()
	deadline := time.After(rawPatience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		text, err := os.ReadFile(d.log)
		if err == nil && strings.Count(string(text), "\n") >= d.sent {
			return string(text)
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s has no line for each of %d requests (%v): %s", d.log, d.sent, err, text)
		}
	}
}

// Each hole is open where a gateway is set up by Istio's own words, and closed
// where Rolepass's are applied; both are rendered by istiod and run by Envoy.
func TestWhatIstiosOwnResourcesLeaveOpen(t *testing.T) {
	a := newAround(t)
	native, ours := nativeDoor(t, a, "native", nil), ourDoor(t, a)
	for _, h := range holes {
		t.Run(h.name, func(t *testing.T) {
			a.forget(h.streams)
			if !h.open(t, a, native) {
				t.Error("Istio's own words have closed it: decision 29 wants another look")
			}
			a.forget(h.streams)
			if h.open(t, a, ours) {
				t.Error("it is open with what Rolepass generates")
			}
			if h.streams && a.check.asked.Load() == 0 {
				t.Error("and Check was not asked, so nothing was tried")
			}
		})
	}
	a.forget(true)
	if status := ours.asks(t, ours.host); status != http.StatusOK || !a.s3.any(isSigned) {
		t.Errorf("a fetch through ours is answered %d, and S3 has %d requests", status, a.s3.count())
	}
}

// A filter mends the route, and a typing error in it opens the hole again, without
// a word of istiod's: nothing but what was rendered tells.
func TestATypoInAMendOpensTheHoleAgain(t *testing.T) {
	a := newAround(t)
	mend, err := os.ReadFile(filepath.Join("istio", "native-filter.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		mend string
		open bool
	}{
		"native-mended": {string(mend), false},
		"native-typo":   {strings.Replace(string(mend), "clear_route_cache", "clear_route_cach", 1), true},
	} {
		t.Run(name, func(t *testing.T) {
			d := nativeDoor(t, a, name, func(m string) string {
				return strings.Replace(m, "headers: {x-rolepass-s3: {regex: \".+\"}}", "uri: {prefix: /imaging/}", 1) + c.mend
			})
			a.forget(true)
			if status := d.asks(t, d.host); status != http.StatusOK {
				t.Errorf("a fetch is answered %d", status)
			}
			if open := a.app.any(isSigned); open != c.open || open == a.s3.any(isSigned) {
				t.Errorf("the signed path reaches the application: %t, want %t; S3 has %d requests", open, c.open, a.s3.count())
			}
			said, err := running(t).Lint(t.Context(), d.Gateway)
			if err == nil || strings.Contains(said, "RP115") != c.open {
				t.Errorf("lint says %v\n%s", err, said)
			}
		})
	}
}

// Istio takes the protocol from a port's name. With another name Check is asked in
// HTTP/1.1, and everything is refused; ours is asked as the cluster says, whatever
// the Service is called.
func TestAPortWithAnotherNameRefusesEverything(t *testing.T) {
	a := newAround(t)
	d := nativeDoor(t, a, "native-port", func(m string) string { return strings.ReplaceAll(m, "grpc-check", "http-check") })
	a.forget(false)
	if status := d.asks(t, d.host); status != http.StatusServiceUnavailable || a.check.asked.Load() > 0 || a.app.any(anything) {
		t.Errorf("answered %d, Check was asked %d times, %d requests reached the application", status, a.check.asked.Load(), a.app.count())
	}
}

// What istiod renders of Istio's own words breaks these of Rolepass's rules, so that
// whoever writes them is told.
func TestLintNamesWhatIstiosOwnResourcesLeaveOpen(t *testing.T) {
	d := nativeDoor(t, newAround(t), "native-lint", nil)
	said, err := running(t).Lint(t.Context(), d.Gateway)
	if err == nil {
		t.Fatal("lint finds nothing")
	}
	for _, rule := range []string{
		"RP112", // the policy's host decides whether Check is asked
		"RP115", // the route is not chosen again
		"RP116", // what Check writes is not validated
		"RP117", // Check may change every header
		"RP134", // the assertion's body is shown nowhere
		"RP301", // a client's header chooses S3
		"RP303", // a fetch whose S3 is not here goes on
		"RP401", // paths are folded before Check
		"RP403", // underscores
		"RP502", // no name is verified
		"RP503", // Check in the clear
		"RP603", // signatures in the access log
	} {
		if !strings.Contains(said, "\n"+rule+" ") && !strings.HasPrefix(said, rule+" ") {
			t.Errorf("%s is not broken any more", rule)
		}
	}
}

// nativeDoor is a gateway of native.yaml, changed.
func nativeDoor(t *testing.T, a *around, name string, change func(string) string) *door {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("istio", "native.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	manifest := string(text)
	if change != nil {
		if manifest = change(manifest); manifest == string(text) {
			t.Fatal("the change changes nothing")
		}
	}
	authorities, err := os.ReadFile(a.ca)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{host: "label.example.test", log: filepath.Join(t.TempDir(), "access.log")}
	if d.Gateway, err = running(t).Gateway(t.Context(), name, nil, func(ours string) string {
		return strings.NewReplacer("$LOG", d.log, "$CHECK", portOf(t, a.check.address), "$APP", portOf(t, a.app.address),
			"$S3", portOf(t, a.s3.address), "$AUTHORITIES", base64.StdEncoding.EncodeToString(authorities), "$PORT", portIn(t, ours)).Replace(manifest)
	}); err != nil {
		t.Fatal(err)
	}
	return d
}

// portIn is the port of the Gateway of a manifest of Rolepass's.
func portIn(t *testing.T, manifest string) string {
	t.Helper()
	_, rest, found := strings.Cut(manifest, "number: ")
	if !found {
		t.Fatal("the manifest has no port")
	}
	return strings.TrimSpace(strings.SplitN(rest, "\n", 2)[0])
}

// ourDoor is a gateway of what Rolepass generates, for the same surroundings.
func ourDoor(t *testing.T, a *around) *door {
	t.Helper()
	s := running(t)
	g, err := s.Gateway(t.Context(), "mesh-holes", a.settings(s), func(m string) string { return m })
	if err != nil {
		t.Fatal(err)
	}
	return &door{Gateway: g, host: strings.TrimPrefix(s.Demo.Public, "http://"), log: filepath.Join(s.Dir, "mesh-holes-access.log")}
}

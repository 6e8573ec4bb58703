package server

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

// rollingOver gives an IdP before and after it has a new key, what publishes a
// document at the address of its metadata, where the old one's is, and a
// configuration that names that address.
func rollingOver(t *testing.T) (old, rolled *samltest.IdP, give func([]byte), c *config.Config) {
	t.Helper()
	old = newIdP(t, "https://idp.test")
	key, err := samltest.NewKey(2048)
	if err != nil {
		t.Fatal(err)
	}
	if rolled, err = samltest.New(samltest.Options{EntityID: "https://idp.test", SSOURL: "https://idp.test/sso", Key: key}); err != nil {
		t.Fatal(err)
	}
	var published atomic.Pointer[[]byte]
	give = func(document []byte) { published.Store(&document) }
	give(old.Metadata())
	return old, rolled, give, configured(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(*published.Load()) })
}

// A rollover of the IdP's key is followed; whatever else comes instead of
// metadata leaves the last that could be read.
func TestMetadataIsRefreshed(t *testing.T) {
	_, rolled, give, c := rollingOver(t)
	s, err := New(t.Context(), c, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.audit.Close(context.Background()) })
	certificate := func() string { return string(s.idps[0].sp.Load().IdP.Metadata.Certificates[0].Raw) }
	first := certificate()

	give([]byte("<html>down for maintenance</html>"))
	s.refreshOnce(t.Context())
	give(newIdP(t, "https://evil.test").Metadata())
	s.refreshOnce(t.Context())
	if certificate() != first || s.idps[0].sp.Load().IdP.Metadata.EntityID != "https://idp.test" {
		t.Error("something else took the place of the metadata")
	}
	give(rolled.Metadata())
	s.refreshOnce(t.Context())
	if certificate() == first {
		t.Error("the new key is not known")
	}
}

// A server that runs reads the metadata again by itself: the key that an IdP has
// rolled over to is known without a restart, and the one that is gone is not.
func TestARunningServerFollowsTheMetadata(t *testing.T) {
	old, rolled, give, c := rollingOver(t)
	o := quiet()
	o.RefreshEvery = 10 * time.Millisecond
	s, err := New(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	await(t, "http://"+c.Admin+"/readyz", http.StatusOK)
	signsIn := func(by *samltest.IdP) error {
		sp := s.idps[0].sp.Load()
		_, err := sp.Verify(by.Response(samltest.Spec{ACS: sp.ACS, InResponseTo: "id-1",
			Roles: []string{"arn:aws:iam::111122223333:role/radiology,arn:aws:iam::111122223333:saml-provider/corp"}}), saml.Expect{RequestID: "id-1"})
		return err
	}
	if err := signsIn(old); err != nil {
		t.Fatal(err)
	}
	give(rolled.Metadata())
	soon(t, func() error { return signsIn(rolled) })
	if err := signsIn(old); err == nil {
		t.Error("the key that is gone still signs")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// soon asks until there is no error.
func soon(t *testing.T, ask func() error) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal(fmt.Errorf("even after a while: %w", err))
		}
	}
}

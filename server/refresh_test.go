package server

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

// A server that runs reads the metadata again by itself: the key that an IdP has
// rolled over to is known without a restart, and the one that is gone is not.
func TestARunningServerFollowsTheMetadata(t *testing.T) {
	old := newIdP(t, "https://idp.test")
	key, err := samltest.NewKey(2048)
	if err != nil {
		t.Fatal(err)
	}
	rolled, err := samltest.New(samltest.Options{EntityID: "https://idp.test", SSOURL: "https://idp.test/sso", Key: key})
	if err != nil {
		t.Fatal(err)
	}
	var published atomic.Pointer[[]byte]
	give := func(document []byte) { published.Store(&document) }
	give(old.Metadata())
	c := configured(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(*published.Load()) })
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

package samlsts_test

import (
	"context"
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
	"github.com/rolepass/rolepass/samlsts"
)

// heard is what a reader takes out of a response that it accepts.
type heard struct{ subject, format, issuer, recipient, session string }

// readers are the two verifiers of the tree, which share no code of ours, both
// set up for the catalogue's scene.
type readers struct {
	sp         *saml.ServiceProvider
	decryption *saml.Decryption
	// plain is the endpoint without a key to decrypt with, keyed with ours.
	plain, keyed *rig
}

func newReaders(t *testing.T, idp *samltest.IdP) *readers {
	t.Helper()
	metadata, err := saml.ParseMetadata(idp.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "idp.xml")
	if err := os.WriteFile(file, idp.Metadata(), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := configure(t)
	cfg.Audience = []string{samltest.AWSAudience, samltest.SceneSP}
	cfg.ClockSkew = time.Minute
	cfg.Providers = []samlsts.Provider{{ARN: samltest.SceneProvider, Metadata: file}}
	cfg.Roles = []samlsts.Role{{ARN: samltest.SceneRole, Trust: samlsts.Trust{Provider: samltest.SceneProvider, SAMLAud: []string{samltest.SceneACS}}, Store: cfg.Roles[0].Store}}
	text, err := samltest.SceneDecryption().MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	decryption, err := saml.ParseDecryption(text)
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "decryption.pem")
	if err := os.WriteFile(key, text, 0o600); err != nil {
		t.Fatal(err)
	}
	withKey := *cfg
	withKey.Providers = []samlsts.Provider{{ARN: samltest.SceneProvider, Metadata: file, DecryptionKeyFile: key}}
	return &readers{
		sp: &saml.ServiceProvider{EntityID: samltest.SceneSP, ACS: samltest.SceneACS, IdP: saml.IdP{
			Name: "corp", Metadata: metadata, Audience: cfg.Audience, Providers: []string{samltest.SceneProvider}}},
		plain: serve(t, cfg), keyed: serve(t, &withKey), decryption: decryption,
	}
}

// endpoint is the one that has the key where package saml has it.
func (r *readers) endpoint(v samltest.Vector) *rig {
	if v.Decrypts {
		return r.keyed
	}
	return r.plain
}

// ours is package saml's answer to a sibling; nil: refused.
func (r *readers) ours(v samltest.Vector, encoded string, now time.Time) *heard {
	expect := saml.Expect{RequestID: samltest.SceneRequest}
	if v.Anew {
		expect.AuthenticatedSince = samltest.SceneNow()
	}
	r.sp.Decryption = nil
	if v.Decrypts {
		r.sp.Decryption = r.decryption
	}
	r.sp.IdP.AnyProvider = v.AnyProvider
	r.sp.Now, r.sp.AuthnContext = func() time.Time { return now }, v.Contexts
	a, err := r.sp.Verify(encoded, expect)
	if err != nil {
		return nil
	}
	return &heard{a.Principal.NameID, samltest.SubjectType(a.Principal.NameIDFormat), a.Issuer, a.Recipient, a.Principal.SessionName}
}

// hears is the endpoint's answer, read as an SDK would read it; nil: refused.
func (r *rig) hears(encoded string, now time.Time) *heard {
	r.server.Now = func() time.Time { return now }
	r.orders = nil
	r.server.Assume = func(_ context.Context, o samlsts.Order) (*samlsts.Credentials, error) {
		r.orders = append(r.orders, o)
		return &samlsts.Credentials{AccessKeyID: "STORE1", SecretAccessKey: storeSecret, SessionToken: storeToken, Expiration: now.Add(o.Duration)}, nil
	}
	call := form(encoded)
	call.Set("RoleArn", samltest.SceneRole)
	call.Set("PrincipalArn", samltest.SceneProvider)
	o := r.call(call)
	if o.status != 200 {
		return nil
	}
	return &heard{o.Result.Subject, o.Result.SubjectType, o.Result.Issuer, o.Result.Audience, r.orders[0].SessionName}
}

// TestTwoReadersAgree gives every sibling in the catalogue to both verifiers,
// and every vector, which package saml refuses (its own TestCatalogue), to the
// endpoint. Whatever both accept, they read alike; whatever one of them accepts
// alone, the catalogue says why.
func TestTwoReadersAgree(t *testing.T) {
	idp, err := samltest.Scene()
	if err != nil {
		t.Fatal(err)
	}
	r := newReaders(t, idp)
	for _, v := range samltest.Catalogue() {
		t.Run(v.Name, func(t *testing.T) {
			endpoint := r.endpoint(v)
			endpoint.t = t
			spec, now := v.Accepted()
			encoded := idp.Response(spec)
			ours, theirs := r.ours(v, encoded, now), endpoint.hears(encoded, now)
			switch {
			case ours == nil:
				t.Fatal("package saml refuses the sibling")
			case (theirs == nil) != (v.STSSibling != ""):
				t.Errorf("the endpoint accepts the sibling: %t (%s); the catalogue says %q", theirs != nil, endpoint.last().Why, v.STSSibling)
			case theirs != nil && *ours != *theirs:
				t.Errorf("of the sibling, one reads %+v and the other %+v", *ours, *theirs)
			}

			spec, now = v.Refused()
			if theirs := endpoint.hears(idp.Response(spec), now); (theirs == nil) != (v.STS == "") {
				t.Errorf("the endpoint accepts it: %t (%s); the catalogue says %q", theirs != nil, endpoint.last().Why, v.STS)
			}
		})
	}
}

// TestTwoReadersAgreeOnMetadata: of every sibling in the catalogue of metadata
// both take the same name, keys and end, and what the endpoint takes that
// package saml refuses the catalogue explains.
func TestTwoReadersAgreeOnMetadata(t *testing.T) {
	idp, err := samltest.Scene()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range samltest.MetadataCatalogue() {
		t.Run(v.Name, func(t *testing.T) {
			ours, err := saml.ParseMetadata(v.Accepted(idp))
			if err != nil {
				t.Fatal(err)
			}
			entity, certificates, until, err := samlsts.ParseMetadata(v.Accepted(idp))
			if err != nil {
				t.Fatalf("the endpoint refuses the sibling: %v", err)
			}
			if entity != ours.EntityID || !slices.EqualFunc(certificates, ours.Certificates, (*x509.Certificate).Equal) || !until.Equal(ours.ValidUntil) {
				t.Errorf("of the sibling, one reads %s, %d keys, %s and the other %s, %d keys, %s", ours.EntityID, len(ours.Certificates), ours.ValidUntil, entity, len(certificates), until)
			}
			if _, _, _, err := samlsts.ParseMetadata(v.Refused(idp)); (err == nil) != (v.STS != "") {
				t.Errorf("the endpoint accepts it: %t (%v); the catalogue says %q", err == nil, err, v.STS)
			}
		})
	}
}

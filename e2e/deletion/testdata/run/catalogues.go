package main

import (
	"log"
	"strings"
	"time"

	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

// provider is the service provider of the scene.
func provider(idp *samltest.IdP, now time.Time) *saml.ServiceProvider {
	metadata, err := saml.ParseMetadata(idp.Metadata())
	if err != nil {
		log.Fatal(err)
	}
	return &saml.ServiceProvider{
		EntityID: samltest.SceneSP, ACS: samltest.SceneACS, SLO: samltest.SceneSLO, Now: func() time.Time { return now },
		IdP: saml.IdP{Name: "corp", Metadata: metadata, Audience: []string{samltest.AWSAudience, samltest.SceneSP}, Providers: []string{samltest.SceneProvider}},
	}
}

func responses(idp *samltest.IdP) []attempt {
	text, err := samltest.SceneDecryption().MarshalPEM()
	if err != nil {
		log.Fatal(err)
	}
	decryption, err := saml.ParseDecryption(text)
	if err != nil {
		log.Fatal(err)
	}
	var all []attempt
	for _, v := range samltest.Catalogue() {
		spec, now := v.Refused()
		encoded, sp := idp.Response(spec), provider(idp, now)
		sp.AuthnContext, sp.IdP.AnyProvider = v.Contexts, v.AnyProvider
		if v.Decrypts {
			sp.Decryption = decryption
		}
		expect := saml.Expect{RequestID: samltest.SceneRequest}
		if v.Anew {
			expect.AuthenticatedSince = samltest.SceneNow()
		}
		if v.Nobody {
			expect = saml.Expect{}
		}
		all = append(all, attempt{v.Name, coded(v.Code), func() error { _, err := sp.Verify(encoded, expect); return err }})
	}
	return all
}

func logouts(idp *samltest.IdP) []attempt {
	var all []attempt
	for _, v := range samltest.LogoutCatalogue() {
		sent, sp := v.Refused(idp), provider(idp, samltest.SceneNow())
		_, sp.IdP.Metadata.ValidUntil = v.ValidUntil()
		all = append(all, attempt{v.Name, coded(v.Code), func() error {
			if v.Post {
				_, err := sp.ReadLogoutForm(sent.Field, sent.Value)
				return err
			}
			_, _, err := sp.ReadLogoutQuery(sent.Query)
			return err
		}})
	}
	return all
}

func documents(idp *samltest.IdP) []attempt {
	var all []attempt
	for _, v := range samltest.MetadataCatalogue() {
		document := v.Refused(idp)
		all = append(all, attempt{v.Name,
			func(err error) bool { return err != nil && strings.Contains(err.Error(), v.Says) },
			func() error { _, err := saml.ParseMetadata(document); return err }})
	}
	return all
}

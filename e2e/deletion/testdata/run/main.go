// Command run is built against package saml with a switch in each of its
// checks. It lets every vector of the catalogue be refused, switches off what
// refused it, and writes down what happens then.
package main

import (
	"encoding/json"
	"errors"
	"log"
	"os"
	"slices"
	"time"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

// outcome is what became of one vector without one check.
type outcome struct {
	Vector, Check string
	// Code is the next refusal; empty: the vector was accepted.
	Code string
	// Next are the checks that refused it instead.
	Next []string
}

func main() {
	idp, err := samltest.Scene()
	if err != nil {
		log.Fatal(err)
	}
	metadata, err := saml.ParseMetadata(idp.Metadata())
	if err != nil {
		log.Fatal(err)
	}
	text, err := samltest.SceneDecryption().MarshalPEM()
	if err != nil {
		log.Fatal(err)
	}
	decryption, err := saml.ParseDecryption(text)
	if err != nil {
		log.Fatal(err)
	}
	var report struct {
		Rows     []string
		Outcomes []outcome
	}
	report.Rows = saml.CheckRows()
	for _, v := range samltest.Catalogue() {
		spec, now := v.Refused()
		encoded := idp.Response(spec)
		verify := func() (string, []string) {
			saml.ChecksFired = nil
			sp := &saml.ServiceProvider{
				EntityID: samltest.SceneSP, ACS: samltest.SceneACS, Now: func() time.Time { return now },
				AuthnContext: v.Contexts,
				IdP:          saml.IdP{Name: "corp", Metadata: metadata, Audience: []string{samltest.AWSAudience, samltest.SceneSP}, Providers: []string{samltest.SceneProvider}},
			}
			if v.Decrypts {
				sp.Decryption = decryption
			}
			return refused(v, encoded, sp), saml.ChecksFired
		}
		saml.SwitchOff("")
		code, fired := verify()
		if code != v.Code {
			log.Fatalf("%s: refused with %q, want %q", v.Name, code, v.Code)
		}
		for _, check := range fired {
			saml.SwitchOff(check)
			code, next := verify()
			slices.Sort(next)
			report.Outcomes = append(report.Outcomes, outcome{v.Name, check, code, next})
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		log.Fatal(err)
	}
}

// refused is the code of the refusal; empty: there was none.
func refused(v samltest.Vector, encoded string, sp *saml.ServiceProvider) string {
	expect := saml.Expect{RequestID: samltest.SceneRequest}
	if v.Anew {
		expect.AuthenticatedSince = samltest.SceneNow()
	}
	if v.Nobody {
		expect = saml.Expect{}
	}
	_, err := sp.Verify(encoded, expect)
	if ref, is := errors.AsType[*refusal.Refusal](err); is {
		return string(ref.Code)
	}
	return ""
}

// Command run is built against package saml with a switch in each of its
// checks. It lets every vector of the catalogues be refused, switches off what
// refused it, and writes down what happens then.
package main

import (
	"encoding/json"
	"errors"
	"log"
	"os"
	"slices"

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
	// Together are the checks that had to be switched off besides, until the
	// vector was accepted; nil: it never was.
	Together []string
}

// attempt is one vector of a catalogue.
type attempt struct {
	name string
	// want says whether a refusal is the vector's own.
	want func(error) bool
	read func() error
}

func main() {
	idp, err := samltest.Scene()
	if err != nil {
		log.Fatal(err)
	}
	var report struct {
		Rows     []string
		Outcomes []outcome
	}
	report.Rows = saml.CheckRows()
	for _, a := range slices.Concat(responses(idp), logouts(idp), documents(idp)) {
		saml.SwitchOff()
		err, fired := a.try()
		if !a.want(err) {
			log.Fatalf("%s: %v", a.name, err)
		}
		for _, check := range fired {
			saml.SwitchOff(check)
			err, next := a.try()
			slices.Sort(next)
			o := outcome{a.name, check, codeOf(err), next, nil}
			if err != nil {
				o.Together = a.together(check, next)
			}
			report.Outcomes = append(report.Outcomes, o)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		log.Fatal(err)
	}
}

// try reads the vector once, and gives the checks that refused it. A panic is
// a refusal, as it is in Verify and at the door.
func (a attempt) try() (err error, fired []string) {
	defer func() {
		if r := recover(); r != nil {
			err = refusal.New(refusal.Malformed, "saml_internal", "%v", r)
		}
		fired = saml.ChecksFired
	}()
	saml.ChecksFired = nil
	return a.read(), nil
}

// together switches off what refuses the vector when one check is off, and
// what refuses it then, until nothing does. It gives up when a library refuses,
// or reading panics.
func (a attempt) together(check string, next []string) []string {
	var off []string
	for len(next) > 0 && len(off) < 16 {
		off = append(off, next...)
		saml.SwitchOff(append([]string{check}, off...)...)
		err, fired := a.try()
		if err == nil {
			slices.Sort(off)
			return off
		}
		next = fired
	}
	return nil
}

// codeOf is the code of a refusal; metadata is refused without one.
func codeOf(err error) string {
	if ref, is := errors.AsType[*refusal.Refusal](err); is {
		return string(ref.Code)
	}
	if err != nil {
		return "metadata"
	}
	return ""
}

func coded(code string) func(error) bool {
	return func(err error) bool { return codeOf(err) == code }
}

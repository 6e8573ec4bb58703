package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/server"
)

// largestInput bounds what is read: STS takes 100,000 characters.
const largestInput = 1 << 20

func debugAssertionCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "assertion --config FILE",
		Short: "Verify one SAMLResponse as the ACS would",
		Long: "Verify one SAMLResponse, in base64 as the browser posts it, and print what it says; or the code and the sentence with which it is refused, and exit with 1.\n" +
			"The configuration needs no more than public_url and idps. Without --request-id an answer to any request is taken, but never one to none.",
		Args: nothing,
	}
	path := configFlag(c)
	in := c.Flags().String("in", "", "read from this `file` (default standard input)")
	at := c.Flags().String("at", "", "verify as at this `time` (RFC 3339; default now)")
	request := c.Flags().String("request-id", "", "the `ID` of the AuthnRequest that must have been answered")
	c.RunE = func(c *cobra.Command, _ []string) error {
		now, err := moment(*at)
		if err != nil {
			return err
		}
		loaded, err := loadQuietly(*path, config.ForAssertion)
		if err != nil {
			return err
		}
		encoded, err := readInput(*in, c.InOrStdin())
		if err != nil {
			return found{err}
		}
		expect := saml.Expect{RequestID: *request, AnyRequest: *request == ""}
		a, err := verify(c.Context(), loaded, encoded, expect, now)
		return show(c.OutOrStdout(), a, err)
	}
	return c
}

func readInput(file string, standard io.Reader) (string, error) {
	if file != "" {
		opened, err := os.Open(file)
		if err != nil {
			return "", fmt.Errorf("reading the response: %w", err)
		}
		defer opened.Close()
		standard = opened
	}
	text, err := io.ReadAll(io.LimitReader(standard, largestInput))
	if err != nil {
		return "", fmt.Errorf("reading the response: %w", err)
	}
	encoded := string(bytes.TrimSpace(text))
	return encoded, copied(encoded)
}

// copied says where something was copied that is no value of SAMLResponse. It is
// said before it is verified: the ACS would see something damaged, and say so.
func copied(text string) error {
	switch {
	case strings.HasPrefix(text, "SAMLResponse="), strings.Contains(text, "%2B"), strings.Contains(text, "%3D"), strings.Contains(text, "%2F"):
		return errors.New("this is the form as the browser encodes it: give the value of SAMLResponse alone, decoded, as the network view shows it under its parsed form data")
	case strings.HasPrefix(text, "<"):
		return errors.New("this is XML: give what the browser posts, which is in base64 (`base64 -w0` makes it from a document)")
	}
	return nil
}

// verify asks each IdP's service provider. With several, the refusal that
// counts is that of the IdP which the response names.
func verify(ctx context.Context, c *config.Config, encoded string, expect saml.Expect, now time.Time) (*saml.Assertion, error) {
	sps, err := server.ServiceProviders(ctx, c, func() time.Time { return now })
	if err != nil {
		return nil, err
	}
	var first error
	for _, sp := range sps {
		sp.IdP.AnyProvider = len(sp.IdP.Providers) == 0
		a, err := sp.Verify(encoded, expect)
		if err == nil {
			return a, nil
		}
		if first == nil || refusal.CodeOf(err) != "saml_issuer" {
			first = err
		}
	}
	return nil, first
}

// show prints the assertion, or why it is refused.
func show(out io.Writer, a *saml.Assertion, err error) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err == nil {
		return printed(encoder.Encode(seen(a)))
	}
	ref, ok := errors.AsType[*refusal.Refusal](err)
	if !ok {
		return found{err}
	}
	if err := encoder.Encode(map[string]string{"code": string(ref.Code), "sentence": ref.Sentence}); err != nil {
		return printed(err)
	}
	return found{ref}
}

// seenRole and the others are the shape of the JSON that is printed.
type seenRole struct {
	Role     string `json:"role"`
	Provider string `json:"provider"`
}

type seenIgnored struct {
	Value    string `json:"value"`
	Code     string `json:"code"`
	Sentence string `json:"sentence"`
}

type seenPrincipal struct {
	IdP          string `json:"idp"`
	NameID       string `json:"name_id"`
	NameIDFormat string `json:"name_id_format"`
	SessionName  string `json:"session_name"`
	Email        string `json:"email"`
	FirstName    string `json:"first_name"`
	LastName     string `json:"last_name"`
}

type seenAssertion struct {
	Principal           seenPrincipal       `json:"principal"`
	Roles               []seenRole          `json:"roles"`
	Ignored             []seenIgnored       `json:"ignored"`
	Attributes          map[string][]string `json:"attributes"`
	Issuer              string              `json:"issuer"`
	ID                  string              `json:"id"`
	InResponseTo        string              `json:"in_response_to"`
	Recipient           string              `json:"recipient"`
	Audiences           []string            `json:"audiences"`
	IssueInstant        time.Time           `json:"issue_instant"`
	AuthnInstant        time.Time           `json:"authn_instant"`
	NotOnOrAfter        time.Time           `json:"not_on_or_after"`
	SessionNotOnOrAfter *time.Time          `json:"session_not_on_or_after"`
}

func seen(a *saml.Assertion) seenAssertion {
	p := a.Principal
	s := seenAssertion{
		Principal: seenPrincipal{p.IdP, p.NameID, p.NameIDFormat, p.SessionName, p.Email, p.FirstName, p.LastName},
		Roles:     []seenRole{}, Ignored: []seenIgnored{}, Attributes: a.Attributes,
		Issuer: a.Issuer, ID: a.ID, InResponseTo: a.InResponseTo, Recipient: a.Recipient, Audiences: a.Audiences,
		IssueInstant: a.IssueInstant, AuthnInstant: a.AuthnInstant, NotOnOrAfter: a.NotOnOrAfter,
	}
	for _, role := range a.Roles {
		s.Roles = append(s.Roles, seenRole{role.ARN, role.Provider})
	}
	for _, ignored := range a.Ignored {
		s.Ignored = append(s.Ignored, seenIgnored{ignored.Value, string(ignored.Refusal.Code), ignored.Refusal.Sentence})
	}
	if !a.SessionNotOnOrAfter.IsZero() {
		s.SessionNotOnOrAfter = &a.SessionNotOnOrAfter
	}
	return s
}

package stack

import (
	"fmt"
	"os"
	"path/filepath"
)

// Partner is an identity provider that the stack does not run itself. Its
// people read what the researchers read, under a role of the partner's own.
type Partner struct {
	// Name is what rolepass.yaml calls it.
	Name string
	// Metadata is the address of its metadata, Document what is there.
	Metadata string
	Document []byte
	// More is added to its part of rolepass.yaml.
	More map[string]any
	// DecryptionKey is a file with the key that the token service has of the
	// provider; empty: none.
	DecryptionKey string
}

// Role is the role that the partner asserts, Provider the SAML provider in IAM
// that would hold its metadata.
func (p Partner) Role() string     { return "arn:aws:iam::111122223333:role/" + p.Name }
func (p Partner) Provider() string { return "arn:aws:iam::111122223333:saml-provider/" + p.Name }

// idps are all identity providers, as rolepass.yaml has them.
func (s *Stack) idps() []any {
	audience := []string{"urn:amazon:webservices"}
	all := []any{map[string]any{"name": "demo", "metadata": s.Demo.IdP + "/metadata", "audience": audience, "providers": []string{provider}}}
	for _, p := range s.Partners {
		one := map[string]any{"name": p.Name, "metadata": p.Metadata, "audience": audience, "providers": []string{p.Provider()}}
		for key, value := range p.More {
			one[key] = value
		}
		all = append(all, one)
	}
	return all
}

// reads are the prefixes of each role in the store itself.
func (s *Stack) reads() map[string][]string {
	all := map[string][]string{}
	for role, prefixes := range reads {
		all[role] = prefixes
	}
	for _, p := range s.Partners {
		all[p.Role()] = reads[research]
	}
	for _, role := range s.wards() {
		all[role] = reads[research]
	}
	return all
}

// grants are the grants, as rolepass.yaml has them.
func (s *Stack) grants() []map[string]any {
	all := grantsOf(s.projectIDs)
	more := s.wards()
	for _, p := range s.Partners {
		more = append(more, p.Role())
	}
	for _, role := range more {
		all = append(all, map[string]any{"role": role, "read": []string{"s3://imaging/anonymised/", "s3://notes/"}, "anywhere": true})
	}
	return all
}

// trusted are the providers of the token service, and which of them each role
// trusts.
func (s *Stack) trusted() (providers []any, of map[string]string, err error) {
	of = map[string]string{}
	for role := range reads {
		of[role] = provider
	}
	for _, role := range s.wards() {
		of[role] = provider
	}
	documents, keys := map[string][]byte{provider: s.idp.Metadata()}, map[string]string{}
	for _, p := range s.Partners {
		of[p.Role()], documents[p.Provider()], keys[p.Provider()] = p.Provider(), p.Document, p.DecryptionKey
	}
	for arn, document := range documents {
		path := filepath.Join(s.Dir, "idp-"+filepath.Base(arn)+".xml")
		if err := os.WriteFile(path, document, 0o600); err != nil {
			return nil, nil, fmt.Errorf("keeping metadata: %w", err)
		}
		providers = append(providers, map[string]any{"arn": arn, "metadata": path, "decryption_key_file": keys[arn]})
	}
	return providers, of, nil
}

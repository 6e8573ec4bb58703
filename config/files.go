package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/rolepass/rolepass/saml"
)

// files looks at the files that the configuration names, as far as they are
// needed.
func (s section) files(c *Config) {
	if s.needs == Everything || s.needs == ForAssertion {
		s.metadataFiles(c)
		s.decryptionKeys(c)
	}
	if s.needs != Everything {
		return
	}
	if c.Keys != "" {
		s.keys(c.Keys, s.at("keys"))
	}
	if c.SAMLKeys != "" {
		if _, err := saml.LoadSigningKeys(c.SAMLKeys); err != nil {
			s.problem(s.at("saml_keys"), "%v", err)
		}
	}
	if c.CheckTLS != nil && c.CheckTLS.Certificate != "" && c.CheckTLS.PrivateKey != "" && c.CheckTLS.CA != "" {
		s.checkFiles(c.CheckTLS)
	}
	s.traceFiles(c.Traces)
	if c.LabelStudio.CA != "" {
		s.authorities(c.LabelStudio.CA, s.at("label_studio.ca"))
	}
	for name, file := range map[string]string{
		"label_studio.secret_key_file":  c.LabelStudio.SecretKeyFile,
		"label_studio.owner_token_file": c.LabelStudio.OwnerTokenFile,
	} {
		if file != "" {
			s.secretFile(file, s.at(name))
		}
	}
}

// keys wants at least one key, and none that others may read.
func (r *reader) keys(dir string, at place) {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		r.problem(at, "%s is not a directory that can be read: make it with `rolepass keys new %s`", dir, dir)
		return
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*.key")) // the pattern is well-formed
	if len(names) == 0 {
		r.problem(at, "%s holds no *.key file: make one with `rolepass keys new %s`", dir, dir)
	}
	for _, name := range names {
		switch info, err := os.Stat(name); {
		case err != nil:
			r.problem(at, "%s cannot be read: check its permissions", name)
		case info.Mode().Perm()&0o077 != 0:
			r.problem(at, "%s may be read by others (mode %04o): run `chmod 600 %s`", name, info.Mode().Perm(), name)
		}
	}
}

// secretFile wants a file with something in it that not everybody may read.
func (r *reader) secretFile(name string, at place) {
	info, err := os.Stat(name)
	switch {
	case err != nil || !info.Mode().IsRegular():
		r.problem(at, "%s is not a file that can be read: check its name and permissions", name)
		return
	case info.Mode().Perm()&0o007 != 0:
		r.problem(at, "%s may be read by everybody on this machine (mode %04o): run `chmod 600 %s`", name, info.Mode().Perm(), name)
		return
	case info.Size() == 0:
		r.problem(at, "%s is empty: write the secret into it", name)
		return
	}
	file, err := os.Open(name)
	if err != nil {
		r.problem(at, "%s cannot be opened by this user: check its permissions", name)
		return
	}
	_ = file.Close() // it was only opened for reading
}

// maxMetadata is far more than the metadata of one IdP.
const maxMetadata = 4 << 20

func (s section) metadataFiles(c *Config) {
	entities := map[string]string{}
	for i := range c.IdPs {
		idp := &c.IdPs[i]
		if idp.MetadataFile == "" {
			continue
		}
		at := s.at(fmt.Sprintf("idps[%d].metadata", i))
		document, err := readMetadata(idp.MetadataFile)
		if err != nil {
			s.problem(at, "%s cannot be read: give a file with the IdP's SAML metadata", idp.MetadataFile)
			continue
		}
		if idp.Metadata, err = saml.ParseMetadata(document); err != nil {
			s.problem(at, "%s: %v", idp.MetadataFile, err)
			continue
		}
		if other, twice := entities[idp.Metadata.EntityID]; twice {
			s.problem(at, "it is of the same IdP as %s: one name for each IdP", other)
		}
		entities[idp.Metadata.EntityID] = idp.Name
		if idp.Metadata.ByteOrderMark {
			s.warn(at, "%s begins with a byte order mark, which IAM refuses: save it as UTF-8 without one before you upload it", idp.MetadataFile)
		}
	}
}

// decryptionKeys reads the keys for which IdPs encrypt. What is wrong with one
// is said without repeating any of it.
func (s section) decryptionKeys(c *Config) {
	for i := range c.IdPs {
		idp := &c.IdPs[i]
		if idp.DecryptionKeyFile == "" {
			continue
		}
		at, before := s.at(fmt.Sprintf("idps[%d].decryption_key_file", i)), len(s.problems)
		if s.secretFile(idp.DecryptionKeyFile, at); !s.fine(before) {
			continue
		}
		text, err := os.ReadFile(idp.DecryptionKeyFile)
		if err == nil {
			idp.Decryption, err = saml.ParseDecryption(text)
		}
		if err != nil {
			idp.Decryption = nil
			s.problem(at, "%s cannot be used: %v", idp.DecryptionKeyFile, err)
		}
	}
}

func readMetadata(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxMetadata))
}

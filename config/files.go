package config

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/state"
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
			s.problem(s.at("saml_keys"), "%s", unread(err))
		}
	}
	if c.CheckTLS != nil && c.CheckTLS.Certificate != "" && c.CheckTLS.PrivateKey != "" && c.CheckTLS.CA != "" {
		s.checkFiles(c.CheckTLS)
	}
	s.traceFiles(c.Traces)
	s.valkeyFiles(&c.State.Valkey)
	if c.LabelStudio.CA != "" {
		s.authorities(c.LabelStudio.CA, s.at("label_studio.ca"))
	}
	for name, file := range map[string]string{
		"label_studio.secret_key_file":  c.LabelStudio.SecretKeyFile,
		"label_studio.owner_token_file": c.LabelStudio.OwnerTokenFile,
	} {
		if file == "" {
			continue
		}
		before := len(s.problems)
		if s.secretFile(file, s.at(name)); s.fine(before) {
			s.secretValue(file, s.at(name))
		}
	}
}

// keys wants at least one key, and none that others may read.
func (r *reader) keys(dir string, at place) {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.problem(at, "%s is not there: make it with `rolepass keys new %s`, as the user that Rolepass runs as", dir, dir)
		return
	case errors.Is(err, syscall.ENOTDIR):
		r.problem(at, "%s is not a directory: name the one that `rolepass keys new` made", dir)
		return
	case err != nil:
		r.problem(at, "%s", unread(err))
		return
	}
	before := len(r.problems)
	for _, entry := range entries {
		name := filepath.Join(dir, entry.Name())
		if !strings.HasSuffix(name, ".key") {
			continue
		}
		switch info, err := os.Stat(name); {
		case err != nil:
			r.problem(at, "%s", unread(err))
		case info.Mode().Perm()&0o077 != 0:
			r.problem(at, "%s may be read by others (mode %04o): run `chmod 600 %s`", name, info.Mode().Perm(), name)
		}
	}
	if !r.fine(before) {
		return
	}
	if _, err := state.LoadKeyring(dir); err != nil {
		r.problem(at, "%s", unread(err))
	}
}

// secretFile wants a file with something in it that not everybody may read.
func (r *reader) secretFile(name string, at place) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		r.problem(at, "%s", unread(err))
		return
	case !info.Mode().IsRegular():
		r.problem(at, "%s is not a file: give the name of one", name)
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
		r.problem(at, "%s", unread(err))
		return
	}
	_ = file.Close() // it was only opened for reading
}

// secretValue wants the value alone. A file for a process's environment has the
// name before it, and signs what Label Studio refuses.
func (r *reader) secretValue(name string, at place) {
	text, err := os.ReadFile(name)
	value := strings.TrimSpace(string(text))
	switch {
	case err != nil:
		r.problem(at, "%s", unread(err))
	case strings.ContainsAny(value, "\r\n"):
		r.problem(at, "%s has several lines: write the value alone, on one", name)
	case strings.HasPrefix(value, "SECRET_KEY="):
		r.problem(at, "%s begins with SECRET_KEY=: write the value alone, without its name and without quotes", name)
	}
}

// unread says why something was not read, and what to do. Files are the service's
// own user's, and are often made, and looked at, by another.
func unread(err error) string {
	var file *fs.PathError
	switch {
	case !errors.As(err, &file):
	case errors.Is(err, fs.ErrNotExist):
		return file.Path + " is not there: check its name; names are relative to the configuration's directory"
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("%s may not be read by the user that this runs as (uid %d): let the file, and the directories above it, be readable for the user that Rolepass runs as, and run this as that user", file.Path, os.Geteuid())
	}
	return err.Error()
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
			s.problem(at, "%s", unread(err))
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

// authorities wants a file with certificates in it; nil, where it is not one.
func (r *reader) authorities(name string, at place) *x509.CertPool {
	text, err := os.ReadFile(name)
	if err != nil {
		r.problem(at, "%s", unread(err))
		return nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		r.problem(at, "%s holds no certificate in PEM: it begins with -----BEGIN CERTIFICATE-----", name)
		return nil
	}
	return pool
}

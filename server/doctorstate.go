package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/rolepass/rolepass/config"
)

// state writes one record of its own to the state's server, reads it and deletes it,
// as each login does. It would end by itself in a minute.
func (d *doctor) state(ctx context.Context) (string, error) {
	to := d.config.State.Valkey
	server := openValkey(to, d.now, func() {})
	defer server.Close()
	sum := sha256.Sum256([]byte(rand.Text()))
	name, record := "doctor:"+hex.EncodeToString(sum[:]), []byte(rand.Text())
	if err := server.Put(ctx, name, record, d.now().Add(time.Minute)); err != nil {
		return "", stateFails(to, err)
	}
	read, err := server.Get(ctx, name)
	if err != nil {
		return "", stateFails(to, err)
	}
	was, err := server.Take(ctx, name)
	if err != nil {
		return "", stateFails(to, err)
	}
	if !was || !bytes.Equal(read, record) {
		return "", errors.New("what was written was not there a moment later: one address must lead to one server, and not to replicas in turns")
	}
	return stateEvicts(server.Eviction(ctx))
}

// stateEvicts judges what the server does when its memory is full, as far as it says.
func stateEvicts(policy string) (string, error) {
	const fine = "a record was written, read and deleted"
	switch {
	case policy == "":
		return fine + "; what the server does when its memory is full it does not say: see maxmemory-policy", nil
	case policy != "noeviction": // allkeys-… forgets any key, volatile-… those that end, as all of ours do
		return "", fmt.Errorf("when the server's memory is full it forgets our keys (maxmemory-policy %s): sessions vanish, used assertions count as new, and a logout at the IdP may miss somebody; set noeviction, and enough maxmemory", printable(policy))
	}
	return fine + "; when the server's memory is full nobody can sign in (maxmemory-policy " + printable(policy) + "): give it enough", nil
}

// stateFails says what is behind an error of the state's server, and what to do.
func stateFails(to config.Valkey, err error) error {
	var name x509.HostnameError
	var certificate *tls.CertificateVerificationError
	advice := ""
	switch {
	case errors.As(err, &name):
		advice = "its certificate is for another name: write the name that is in it, or have one made for this name"
	case errors.As(err, &certificate):
		advice = "its certificate is of an authority that is not trusted here: name the authorities in ca_file"
	default:
		advice = stateSays(err.Error())
	}
	if advice == "" {
		advice = "nobody can sign in without it: look whether it runs" + stateReached(to)
	}
	return fmt.Errorf("%s: %s", advice, oneLine(err.Error()))
}

// stateReached is what else may be between us and a server that does not answer.
func stateReached(to config.Valkey) string {
	switch {
	case to.Network == "unix":
		return ", and whether the user that Rolepass runs as may write to its socket"
	case to.TLS:
		return " and speaks TLS at this port, and at the address, DNS, routes and policies of the network"
	}
	return ", and whether it wants TLS at this port, which is written rediss://"
}

// oneLine takes out what a terminal would obey.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// stateSays are the servers' own words for a no, and what to do about each.
func stateSays(message string) string {
	for _, one := range []struct{ word, advice string }{
		{"certificate required", "it wants a client's certificate, and Rolepass has a password instead: set tls-auth-clients no"},
		{"WRONGPASS", "it refuses user or password: compare user and password_file with its ACL; a password alone is that of the user default"},
		{"NOAUTH", "it wants a password: give password_file, and user if it has an ACL"},
		{"without any password configured", "it knows no password: set one there, or leave password_file out"},
		{"NOPERM", "its ACL does not let this user do that: docs/state.md has what is enough"},
		{"READONLY", "it is a read-only replica: give the address of the primary, or one that follows it"},
		{"MASTERDOWN", "it is a replica whose primary does not answer: give an address that follows the primary"},
		{"LOADING", "it reads its data and answers in a moment: run this again"},
		{"OOM", "its memory is full: raise maxmemory"},
		{"MISCONF", "it cannot write its data to disk, and takes none: look at its log"},
		{"DENIED", "it is in protected mode, which wants a password: set one"},
		{"MOVED", clusterAdvice}, {"CLUSTERDOWN", clusterAdvice}, {"not allowed in cluster mode", clusterAdvice},
		{"DB index is out of range", "it has no database of this number: write another behind the address"},
	} {
		if strings.Contains(message, one.word) {
			return one.advice
		}
	}
	return ""
}

const clusterAdvice = "it is one of a cluster, which Rolepass cannot use: give a server, or an endpoint, that has cluster mode off"

package config

import (
	"net"
	"net/url"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/rolepass/rolepass/presign"
)

const (
	// defaultValkeyPort is Redis's, which Valkey kept.
	defaultValkeyPort = "6379"
	defaultPrefix     = "rolepass:"
)

// stateOfValkey are the keys that only a server needs.
var stateOfValkey = []string{"address", "user", "password_file", "ca_file", "prefix"}

func (s section) state(c *Config) {
	state := s.section(s.get("state"), append([]string{"kind", "mib"}, stateOfValkey...)...)
	c.State = State{Kind: state.kind(), MiB: state.number("mib", 512, 16, 65536)}
	switch c.State.Kind {
	case StateValkey:
		c.State.Valkey = state.valkey()
	case StateMemory:
		for _, name := range stateOfValkey {
			if v := state.get(name); v.given() {
				state.problem(v.place, "kind: memory has no %s: leave it out, or write kind: valkey", name)
			}
		}
	}
}

// kind reads the kind of state; none, if it is not one.
func (s section) kind() StateKind {
	v := s.get("kind")
	if !v.given() {
		return StateMemory
	}
	switch kind := StateKind(s.text(v)); kind {
	case "":
	case StateMemory, StateValkey:
		return kind
	case "redis":
		s.problem(v.place, "%q is not among the choices: write valkey, for a Redis server, too", kind)
	default:
		s.problem(v.place, "%q is not among the choices: write one of memory, valkey", kind)
	}
	return ""
}

// prefixGrammar has none of the characters that an ACL's patterns have.
var prefixGrammar = regexp.MustCompile(`^[A-Za-z0-9:_.-]{0,31}:$`)

// valkey reads where the server is, and who we are to it.
func (s section) valkey() Valkey {
	to := s.valkeyAddress(s.need("address", "give the server's address, such as rediss://valkey.example.com:6379/0"))
	to.User = s.text(s.get("user"))
	if v := s.get("password_file"); v.given() {
		to.PasswordFile = s.filename(v)
	} else if at := s.get("user"); at.given() {
		s.problem(at.place, "a user has a password: name the file that holds it, under password_file, or leave user out")
	}
	if v := s.get("ca_file"); v.given() {
		if to.CAFile = s.filename(v); to.Network != "" && !to.TLS {
			s.problem(v.place, "address is not rediss, so there is no certificate to verify: write rediss://, or leave ca_file out")
		}
	}
	to.Prefix = defaultPrefix
	if v := s.get("prefix"); v.given() {
		if to.Prefix = s.text(v); to.Prefix != "" && !prefixGrammar.MatchString(to.Prefix) {
			s.problem(v.place, "%q cannot begin the names of keys: use up to 32 of A-Z, a-z, 0-9, _, . and -, with a colon at the end, such as %q", to.Prefix, defaultPrefix)
		}
	}
	return to
}

// valkeyAddress reads rediss://HOST:PORT/DB, redis:// on loopback, or
// unix:///PATH?db=DB. It never repeats an address, which may hold a password
// where somebody meant well.
func (s section) valkeyAddress(v value) Valkey {
	text := s.text(v)
	if text == "" {
		return Valkey{}
	}
	u, err := url.Parse(text)
	switch {
	case strings.Contains(text, "@"):
		s.problem(v.place, "the address holds a user or a password: take them out, and write user and password_file")
	case err != nil || u.Scheme == "" || u.Opaque != "" || u.Fragment != "" || strings.HasSuffix(text, "#"):
		s.problem(v.place, "this is no address of a server: write rediss://HOST:PORT/DB, redis:// on this machine, or unix:///PATH?db=DB")
	case u.Scheme == "unix":
		return s.valkeySocket(v, u)
	case u.Scheme == "rediss" || u.Scheme == "redis":
		return s.valkeyHost(v, u)
	default:
		s.problem(v.place, "%q is no scheme of a server's: write rediss://HOST:PORT/DB, redis:// on this machine, or unix:///PATH?db=DB", u.Scheme)
	}
	return Valkey{}
}

// valkeySocket reads PATH and db. Two ways to write one path are two servers to
// whoever compares replicas, so one is enough.
func (s section) valkeySocket(v value, u *url.URL) Valkey {
	query, err := url.ParseQuery(u.RawQuery)
	db, known := database(query.Get("db"))
	switch {
	case u.Host != "" || u.RawPath != "" || u.Path == "/" || !strings.HasPrefix(u.Path, "/") || path.Clean(u.Path) != u.Path || len(u.Path) > 107:
		s.problem(v.place, "this is no socket: write unix:// and an absolute path of at most 107 characters, such as unix:///run/valkey/valkey.sock?db=0")
	case err != nil || u.ForceQuery || len(query) > 1 || len(query) == 1 && len(query["db"]) != 1:
		s.problem(v.place, "behind the socket's path only ?db=DB may stand: take the rest out")
	case !known:
		s.problem(v.place, "db is no number of a database: write one such as 0")
	default:
		return Valkey{Network: "unix", Address: u.Path, DB: db}
	}
	return Valkey{}
}

// valkeyHost reads HOST:PORT and DB. In the clear, whoever listens has the
// password, and whoever answers in the server's place forgets used assertions.
func (s section) valkeyHost(v value, u *url.URL) Valkey {
	db, known := database(strings.TrimPrefix(u.Path, "/"))
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" {
		port = defaultValkeyPort
	}
	switch {
	case host == "" || !plainHost(u.Host):
		s.problem(v.place, "the address has no host that exists: write %s://HOST:PORT/DB", u.Scheme)
	case u.RawQuery != "" || u.ForceQuery:
		s.problem(v.place, "the address has a query, which nothing reads: take it out; a database is written as /DB")
	case !known || u.RawPath != "":
		s.problem(v.place, "behind the host only the number of a database may stand, such as /0")
	case u.Scheme == "redis" && !isLoopback(host):
		s.problem(v.place, "redis:// is in the clear, so whoever is between could answer in the server's place, and read its password: write rediss://, and let the server listen with TLS; redis:// is for localhost, 127.0.0.0/8 and ::1 only")
	default:
		return Valkey{Network: "tcp", Address: net.JoinHostPort(host, port), DB: db, TLS: u.Scheme == "rediss"}
	}
	return Valkey{}
}

// database reads the number of a database; 0, if there is none.
func database(text string) (int, bool) {
	if text == "" {
		return 0, true
	}
	n, err := strconv.ParseUint(text, 10, 16)
	return int(n), err == nil && strconv.FormatUint(n, 10) == text
}

// valkeyFiles reads the files that are for the server.
func (s section) valkeyFiles(to *Valkey) {
	if to.CAFile != "" {
		to.Roots = s.authorities(to.CAFile, s.at("state.ca_file"))
	}
	if to.PasswordFile == "" {
		return
	}
	at, before := s.at("state.password_file"), len(s.problems)
	if s.secretFile(to.PasswordFile, at); !s.fine(before) {
		return
	}
	if s.secretValue(to.PasswordFile, at); !s.fine(before) {
		return
	}
	text, err := os.ReadFile(to.PasswordFile)
	if err != nil {
		s.problem(at, "%s", unread(err))
		return
	}
	if to.Password = presign.Secret(strings.TrimSpace(string(text))); to.Password == "" {
		s.problem(at, "%s is empty: write the secret into it", to.PasswordFile)
	}
}

package config_test

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/config"
)

// shared is minimal with a state that replicas share.
func shared(state string) string { return minimal + "state: {kind: valkey, " + state + "}\n" }

func TestAStateThatIsShared(t *testing.T) {
	dir := home(t)
	write(t, dir, "valkey.password", "pass word\n", 0o640)
	write(t, dir, "ca.pem", authority(t), 0o644)
	for text, want := range map[string]config.Valkey{
		"address: 'rediss://Valkey.Example.com'":                         {Network: "tcp", Address: "valkey.example.com:6379", TLS: true, Prefix: "rolepass:"},
		"address: 'rediss://10.0.0.7:7000/'":                             {Network: "tcp", Address: "10.0.0.7:7000", TLS: true, Prefix: "rolepass:"},
		"address: 'rediss://[2001:db8::1]:7000/15', prefix: 'a.B_c-9:'":  {Network: "tcp", Address: "[2001:db8::1]:7000", TLS: true, DB: 15, Prefix: "a.B_c-9:"},
		"address: 'redis://127.0.0.1:6379/3'":                            {Network: "tcp", Address: "127.0.0.1:6379", DB: 3, Prefix: "rolepass:"},
		"address: 'redis://localhost'":                                   {Network: "tcp", Address: "localhost:6379", Prefix: "rolepass:"},
		"address: 'unix:///run/valkey/valkey.sock'":                      {Network: "unix", Address: "/run/valkey/valkey.sock", Prefix: "rolepass:"},
		"address: 'unix:///run/valkey/valkey.sock?db=2', prefix: ':'":    {Network: "unix", Address: "/run/valkey/valkey.sock", DB: 2, Prefix: ":"},
		"address: 'redis://[::1]', password_file: valkey.password":       {Network: "tcp", Address: "[::1]:6379", Prefix: "rolepass:", PasswordFile: filepath.Join(dir, "valkey.password"), Password: "pass word"},
		"address: 'rediss://v', user: u, password_file: valkey.password": {Network: "tcp", Address: "v:6379", TLS: true, Prefix: "rolepass:", User: "u", PasswordFile: filepath.Join(dir, "valkey.password"), Password: "pass word"},
	} {
		c, err := load(t, dir, shared(text), config.Everything)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if c.State.Kind != config.StateValkey || c.State.MiB != 512 || c.State.Valkey != want {
			t.Errorf("%s: %+v, want %+v", text, c.State, want)
		}
		if len(c.Warnings) != 0 {
			t.Errorf("%s: it warns: %v", text, c.Warnings)
		}
	}
	c, err := load(t, dir, shared("address: 'rediss://v', ca_file: ca.pem, mib: 64"), config.Everything)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	text, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil || !pool.AppendCertsFromPEM(text) || !pool.Equal(c.State.Valkey.Roots) || c.State.MiB != 64 {
		t.Errorf("with ca_file the authorities are not that file's, or the size is not: %+v, %v", c.State, err)
	}
}

func TestMistakesInASharedState(t *testing.T) {
	dir := home(t)
	write(t, dir, "valkey.password", "password", 0o600)
	write(t, dir, "everybodys.password", "password", 0o644)
	write(t, dir, "empty.password", "", 0o600)
	write(t, dir, "blank.password", " \n", 0o600)
	write(t, dir, "lines.password", "user\npassword\n", 0o600)
	const at = "address: 'rediss://v'"
	for _, c := range []struct{ state, words string }{
		{"mib: 64", "state.address: it is missing: give the server's address"},
		{"address: valkey.example.com", "this is no address of a server"},
		{"address: 'valkey.example.com:6379'", "this is no address of a server"},
		{"address: 'https://v'", `"https" is no scheme`},
		{"address: 'redis://valkey.example.com'", "write rediss://, and let the server listen with TLS"},
		{"address: 'redis://127.0.0.1.example.com'", "is in the clear"},
		{"address: 'rediss://'", "no host that exists"},
		{"address: 'rediss://:6379'", "no host that exists"},
		{"address: 'rediss://v:0'", "no host that exists"},
		{"address: 'rediss://v:'", "no host that exists"},
		{"address: 'rediss://v:66000'", "no host that exists"},
		{"address: 'rediss://a,b'", "no host that exists"},
		{"address: 'rediss://v#'", "no address of a server"},
		{"address: 'rediss://v?db=1'", "a database is written as /DB"},
		{"address: 'rediss://v?'", "a database is written as /DB"},
		{"address: 'rediss://v/one'", "only the number of a database"},
		{"address: 'rediss://v/01'", "only the number of a database"},
		{"address: 'rediss://v/-1'", "only the number of a database"},
		{"address: 'rediss://v/0/'", "only the number of a database"},
		{"address: 'rediss://v/%30'", "only the number of a database"},
		{"address: 'unix://run/valkey.sock'", "this is no socket"},
		{"address: 'unix:///'", "this is no socket"},
		{"address: 'unix:///run/../valkey.sock'", "this is no socket"},
		{"address: 'unix:///" + strings.Repeat("a", 107) + "'", "this is no socket"},
		{"address: 'unix:///v.sock?db=1&db=2'", "only ?db=DB"},
		{"address: 'unix:///v.sock?DB=1'", "only ?db=DB"},
		{"address: 'unix:///v.sock?'", "only ?db=DB"},
		{"address: 'unix:///v.sock?db=x'", "no number of a database"},
		{at + ", user: rolepass", "name the file that holds it, under password_file"},
		{at + ", password_file: nowhere", "nowhere is not there"},
		{at + ", password_file: keys", "is not a file"},
		{at + ", password_file: everybodys.password", "chmod 600"},
		{at + ", password_file: empty.password", "is empty"},
		{at + ", password_file: blank.password", "is empty"},
		{at + ", password_file: lines.password", "has several lines"},
		{at + ", password: hunter2", "there is no such key"},
		{at + ", ca_file: nowhere.pem", "nowhere.pem is not there"},
		{at + ", ca_file: valkey.password", "no certificate in PEM"},
		{"address: 'unix:///v.sock', ca_file: valkey.password", "there is no certificate to verify"},
		{"address: 'redis://localhost', ca_file: valkey.password", "there is no certificate to verify"},
		{at + ", prefix: rolepass", "with a colon at the end"},
		{at + ", prefix: 'role*:'", "cannot begin the names of keys"},
		{at + ", prefix: '" + strings.Repeat("a", 32) + ":'", "cannot begin the names of keys"},
		{at + ", mib: 8", "write 16 to 65536"},
	} {
		t.Run(c.state, func(t *testing.T) { refused(t, dir, shared(c.state), config.Everything, c.words) })
	}
	refused(t, dir, minimal+"state: {kind: redis, address: 'rediss://v'}\n", config.Everything, "write valkey, for a Redis server, too")
	refused(t, dir, minimal+"state: {kind: disk}\n", config.Everything, "write one of memory, valkey")
}

// What only a server needs is told of where there is none: somebody who left out
// kind would think that replicas share.
func TestMemoryTakesNoServer(t *testing.T) {
	for _, key := range []string{"address: 'rediss://v'", "user: u", "password_file: p", "ca_file: c", "prefix: 'p:'"} {
		name, _, _ := strings.Cut(key, ":")
		for _, kind := range []string{"", "kind: memory, "} {
			refused(t, home(t), minimal+"state: {"+kind+key+"}\n", config.Everything, fmt.Sprintf("state.%s: kind: memory has no %[1]s", name))
		}
	}
}

// An address with a password in it is refused, and is in no message: validate's
// output is what people paste into tickets.
func TestAPasswordInAnAddressIsNotRepeated(t *testing.T) {
	for _, address := range []string{"rediss://:hunter2@v", "rediss://rolepass:hunter2@v:6379/0", "redis://hunter2@localhost", "unix://:hunter2@/v.sock", "rediss://u:hunter2%@v", "rediss://v/hunter2", "rediss://v?password=hunter2", "unix:///v.sock?password=hunter2", "rediss://v hunter2", "rediss://v:hunter2"} {
		_, err := load(t, home(t), shared("address: '"+address+"'"), config.Everything)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// The password is shown by nothing that prints a configuration.
func TestAPasswordIsNotPrinted(t *testing.T) {
	dir := home(t)
	write(t, dir, "valkey.password", "hunter2", 0o600)
	c, err := load(t, dir, shared("address: 'rediss://v', password_file: valkey.password"), config.Everything)
	if err != nil || c.State.Valkey.Password.Reveal() != "hunter2" {
		t.Fatalf("the password is not read: %v", err)
	}
	if text := fmt.Sprintf("%v %+v %#v", c.State, c.State, c.State); strings.Contains(text, "hunter2") {
		t.Errorf("printed: %s", text)
	}
}

// Envoy's bootstrap may be written on another machine, without these files.
func TestForEnvoyNoFileOfTheServersIsRead(t *testing.T) {
	c, err := load(t, home(t), shared("address: 'rediss://v', user: u, password_file: nowhere, ca_file: nowhere.pem"), config.ForEnvoy)
	if err != nil || c.State.Valkey.User != "u" {
		t.Errorf("%+v, %v", c, err)
	}
}

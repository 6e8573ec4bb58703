// Package corpus makes request targets that are one change away from one that
// Label Studio's own pages send: what an attacker tries, and what proxies,
// servers and decoders read differently. Tests send them to Label Studio, to
// Label Studio behind its nginx, and to Rolepass, and compare.
package corpus

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// Fetch is the object that all targets are about.
type Fetch struct {
	Task, Project int64
	// URI is s3://bucket/key.
	URI string
	// Host is what absolute targets name.
	Host string
}

// Targets gives all targets, each once, those without a change first.
func (f Fetch) Targets() []string {
	var all []string
	seen := map[string]bool{}
	add := func(targets []string) {
		for _, target := range targets {
			if !seen[target] {
				seen[target] = true
				all = append(all, target)
			}
		}
	}
	add(f.Plain())
	query := "?fileuri=" + encoded(f.URI)
	add(after(query, f.paths()))
	add(f.absolute(query))
	for _, q := range f.queries() {
		add([]string{fmt.Sprintf("/tasks/%d/resolve/?%s", f.Task, q)})
	}
	return all
}

// Plain are the targets as Label Studio and its editor write them.
func (f Fetch) Plain() []string {
	value := encoded(f.URI)
	return []string{
		fmt.Sprintf("/tasks/%d/resolve/?fileuri=%s", f.Task, value),
		fmt.Sprintf("/tasks/%d/resolve?fileuri=%s", f.Task, value),
		fmt.Sprintf("/tasks/%d/presign/?fileuri=%s", f.Task, value),
		fmt.Sprintf("/tasks/%d/presign?fileuri=%s", f.Task, value),
		fmt.Sprintf("/tasks/%d/resolve/?fileuri=%s&lsref=1", f.Task, strings.ReplaceAll(value, "=", "%3D")),
		fmt.Sprintf("/projects/%d/resolve/?fileuri=%s", f.Project, value),
		fmt.Sprintf("/projects/%d/presign/?fileuri=%s", f.Project, value),
	}
}

func encoded(uri string) string { return base64.URLEncoding.EncodeToString([]byte(uri)) }

func after(query string, paths []string) []string {
	var all []string
	for _, path := range paths {
		all = append(all, path+query)
	}
	return all
}

// everyByte changes one byte after the other.
func everyByte(s string, change func(c byte) []string) []string {
	var all []string
	for i := range len(s) {
		for _, with := range change(s[i]) {
			all = append(all, s[:i]+with+s[i+1:])
		}
	}
	return all
}

// escapes are percent-encodings of a byte: once, in the other case, twice.
func escapes(c byte) []string {
	return []string{fmt.Sprintf("%%%02x", c), fmt.Sprintf("%%%02X", c), fmt.Sprintf("%%25%02x", c)}
}

// folded, doubled, dropped and overlong are other changes of a byte; the last
// is UTF-8 that is longer than it need be.
func folded(c byte) []string {
	if other := strings.ToUpper(string(c)); other != string(c) {
		return []string{other}
	}
	return nil
}
func doubled(c byte) []string { return []string{string(c) + string(c)} }
func dropped(byte) []string   { return []string{""} }
func overlong(c byte) []string {
	return []string{fmt.Sprintf("%%%02x%%%02x", 0xc0|c>>6, 0x80|c&0x3f)}
}

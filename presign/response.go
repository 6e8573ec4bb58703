package presign

// Response are headers of S3's answer that a signed location asks for (S3 API
// reference, GetObject, "Overriding response header values through the
// request"). Empty fields leave what the object was stored with.
type Response struct {
	CacheControl       string
	ContentDisposition string
	ContentType        string
}

// appendQuery appends the parameters in the order in which SigV4 sorts them:
// behind those of the signature, since capital letters come first.
func (r Response) appendQuery(dst []byte) []byte {
	for _, p := range [...]struct{ name, value string }{
		{"&response-cache-control=", r.CacheControl},
		{"&response-content-disposition=", r.ContentDisposition},
		{"&response-content-type=", r.ContentType},
	} {
		if p.value != "" {
			dst = append(dst, p.name...)
			dst = appendEscaped(dst, p.value, false)
		}
	}
	return dst
}

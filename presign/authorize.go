package presign

import (
	"crypto/sha256"
	"log/slog"
	"strings"
)

// Authorized is a request for an object that is signed in its headers: who can
// send it can read the object, for as long as S3 takes its date for now (15
// minutes). It shows itself to nobody but through Target and Headers.
type Authorized struct {
	target  string
	headers [4]Header
}

// Header is one header of a signed request, its name in lower case.
type Header struct{ Name, Value string }

// Target is the path, escaped. It holds no secret but the key.
func (a Authorized) Target() string { return a.target }

// Headers are what the request must carry beside its Host, all of them
// signed. Without a session token there are three, else four.
func (a Authorized) Headers() []Header {
	if a.headers[3].Name == "" {
		return a.headers[:3:3]
	}
	return a.headers[:]
}

func (Authorized) String() string               { return redacted }
func (Authorized) GoString() string             { return redacted }
func (Authorized) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Authorized) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Authorize signs one request by headers, the way that aws-sdk-go-v2 would:
// Host and the x-amz- headers signed (Range and If-None-Match may be sent
// freely), the payload unsigned. It refuses what Presign refuses.
func (s *Signer) Authorize(method string, b Bucket, l Location, c *Credentials) (Authorized, error) {
	now := s.now()
	if _, err := s.check(method, b, l, c, now); err != nil {
		return Authorized{}, err
	}
	var stampSpace [len(timeLayout)]byte
	stamp := now.AppendFormat(stampSpace[:0], timeLayout)
	key := c.signingKey(now, b.Region)
	token, signed := c.SessionToken.Reveal(), "host;x-amz-content-sha256;x-amz-date"
	if token != "" {
		signed += ";x-amz-security-token"
	}

	var space [4096]byte
	request := append(space[:0], method...)
	request = append(request, '\n')
	pathAt := len(request)
	request = appendPath(request, l)
	target := string(request[pathAt:])
	request = append(request, "\n\nhost:"...)
	request = append(request, b.Host...)
	request = append(request, "\nx-amz-content-sha256:"+unsignedPayload+"\nx-amz-date:"...)
	request = append(request, stamp...)
	if token != "" {
		request = append(request, "\nx-amz-security-token:"...)
		request = append(request, token...)
	}
	request = append(request, "\n\n"...)
	request = append(request, signed...)
	request = append(request, "\n"+unsignedPayload...)

	digest := sha256.Sum256(request)
	var signature [64]byte
	var authorization strings.Builder
	authorization.WriteString(algorithm + " Credential=" + c.AccessKeyID + "/" + key.scope + ", SignedHeaders=" + signed + ", Signature=")
	authorization.Write(key.sign(signature[:0], digest[:], stamp))
	out := Authorized{target: target, headers: [4]Header{
		{"authorization", authorization.String()}, {"x-amz-content-sha256", unsignedPayload}, {"x-amz-date", string(stamp)},
	}}
	if token != "" {
		out.headers[3] = Header{"x-amz-security-token", token}
	}
	return out, nil
}

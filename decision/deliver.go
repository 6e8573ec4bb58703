package decision

import (
	"errors"

	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/presign"
)

// errNoWay is a delivery that this deployment does not have.
var errNoWay = errors.New("the grant's way of delivery is none that this deployment has")

// deliver signs an object for the way in which it is delivered.
func (d *Decider) deliver(r *Request, grant grants.Grant, bucket presign.Bucket, location presign.Location, c *presign.Credentials) (out Decision, err error) {
	out = Decision{Bucket: bucket}
	switch way := d.way(r, grant, location.Key); {
	case way == grants.ByRoute && d.SignHeaders:
		out.Kind, out.Header = Stream, delivered(location.Key, r.FetchDest)
		out.Authorized, err = d.Signer.Authorize(r.Method, bucket, location, c)
	case way == grants.ByRoute:
		out.Kind, out.Header = Stream, delivered(location.Key, r.FetchDest)
		out.Signed, err = d.Signer.Presign(r.Method, bucket, location, c)
	case way == grants.ByRedirect:
		out.Kind, out.Header = Redirect, redirecting
		out.Signed, err = d.Signer.PresignAs(r.Method, bucket, location, c, redirected(location.Key))
	case way == grants.ByHeader && d.LocationHeader != "":
		out.Kind, out.LocationHeader, out.Cookie = PassSigned, d.LocationHeader, d.cookiesForApp(r.CookieLines)
		out.Signed, err = d.Signer.Presign(r.Method, bucket, location, c)
	default:
		err = errNoWay
	}
	if err != nil {
		return Decision{}, err
	}
	return out, nil
}

// way is how the object is delivered: as the grant says, or else the
// deployment.
//
// A redirect is only for what a browser will not run wherever it comes from,
// because on S3's answer none of our headers stands (see Inert). It is not for
// parts of an object either: a film is asked for in parts, each part again with
// a decision, and a location would have to last as long as the film. HEAD has
// no bytes that would be worth it.
func (d *Decider) way(r *Request, grant grants.Grant, key string) grants.Delivery {
	way := d.Delivery
	if grant.Deliver != grants.AsDeployed {
		way = grant.Deliver
	}
	if way == grants.AsDeployed || way == grants.ByRedirect && (r.Method != "GET" || r.Range != "" || !labelstudio.Inert(key)) {
		return grants.ByRoute
	}
	return way
}

// redirecting is set on the redirect itself, which no cache may keep: whoever
// has its location can read the object.
var redirecting = []login.Header{
	{Name: "cache-control", Value: "no-store"},
	{Name: "referrer-policy", Value: "no-referrer"},
	{Name: "cross-origin-resource-policy", Value: "same-origin"},
}

// redirected is what S3 is to say of the object, under the signature: nobody
// else can say it any more.
func redirected(key string) presign.Response {
	contentType, attachment := labelstudio.Active(key)
	as := presign.Response{CacheControl: labelstudio.KeptByNobody, ContentType: contentType}
	if attachment {
		as.ContentDisposition = "attachment"
	}
	return as
}

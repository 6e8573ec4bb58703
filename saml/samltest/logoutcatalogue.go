package samltest

import "time"

// LogoutVector is a logout message that has to be refused, beside one that has
// to be accepted: what [Vector] is for responses.
type LogoutVector struct {
	// Name, After and Code are as a Vector's; the name ends in the binding.
	Name, After, Code string
	// Sibling makes [RightLogout] into the message that is accepted.
	Sibling func(*Logout)
	// Change is the one mutation of what the IdP says, or Sent the one of what
	// arrives. Both are nil where MetadataEnds is it.
	Change func(*Logout)
	Sent   func(LogoutSent) LogoutSent
	// MetadataEnds: the validUntil of the IdP's metadata has just passed.
	MetadataEnds bool
	// Post is the HTTP-POST binding; otherwise it is HTTP-Redirect.
	Post bool
}

// LogoutSent is a logout message as it arrives: Query by redirect, the rest by
// POST.
type LogoutSent struct{ Query, Field, Value string }

// Accepted is the vector's sibling.
func (v LogoutVector) Accepted(idp *IdP) LogoutSent {
	return v.send(idp, v.spec())
}

// Refused is the vector itself.
func (v LogoutVector) Refused(idp *IdP) LogoutSent {
	l := v.spec()
	if v.Change != nil {
		v.Change(&l)
	}
	sent := v.send(idp, l)
	if v.Sent != nil {
		sent = v.Sent(sent)
	}
	return sent
}

// ValidUntil is the validUntil of the metadata beside the sibling and beside
// the vector.
func (v LogoutVector) ValidUntil() (sibling, vector time.Time) {
	if !v.MetadataEnds {
		return time.Time{}, time.Time{}
	}
	return SceneNow().Add(time.Second), SceneNow()
}

func (v LogoutVector) spec() Logout {
	l := RightLogout()
	if v.Sibling != nil {
		v.Sibling(&l)
	}
	return l
}

func (v LogoutVector) send(idp *IdP, l Logout) LogoutSent {
	if !v.Post {
		return LogoutSent{Query: idp.LogoutQuery(l)}
	}
	field, value := idp.LogoutForm(l)
	return LogoutSent{Field: field, Value: value}
}

// LogoutCatalogue is every vector of a logout message.
func LogoutCatalogue() []LogoutVector {
	var list []LogoutVector
	add := func(post bool, suffix string, vectors []LogoutVector) {
		for _, v := range vectors {
			v.Name, v.Post = "logout/"+v.Name+suffix, post
			list = append(list, v)
		}
	}
	for _, post := range []bool{false, true} {
		suffix := map[bool]string{false: ", by redirect", true: ", by POST"}[post]
		add(post, suffix, logoutMessageVectors())
		add(post, suffix, logoutShapeVectors())
	}
	add(false, ", by redirect", logoutQueryVectors())
	add(true, ", by POST", logoutFormVectors())
	return list
}

package labelstudio

import "strings"

// KeptByNobody is the Cache-Control of an object to which a browser was
// redirected. Label Studio's service worker keeps the signed location of a
// redirect, and gives it to whoever asks next in that browser, for max-age less
// ten seconds: with max-age=0 that is over before it begins. Without a max-age
// it would be 50 seconds, also after a logout.
const KeptByNobody = "private, no-store, max-age=0"

// Inert says that no browser runs the object with this key as a script, even
// when it comes without any of our headers but the content type that Active
// gives: the Fetch standard (§2.7, "should response to request be blocked due
// to its MIME type") refuses scripts of exactly these kinds. Text, JSON and PDF
// are not among them: without nosniff, a browser runs text as a script.
func Inert(key string) bool {
	contentType, _ := Active(key)
	for _, kind := range []string{"image/", "audio/", "video/", "text/csv"} {
		if strings.HasPrefix(contentType, kind) {
			return true
		}
	}
	return false
}

package login

import (
	"fmt"
	"time"
)

// ownCookie is the Set-Cookie value of a cookie that lives for a while; dropCookie
// takes it back.
func ownCookie(name, value string, life time.Duration) string {
	return fmt.Sprintf("%s=%s; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=%d", name, value, int(life/time.Second))
}

func dropCookie(name string) string { return ownCookie(name, "", 0) }

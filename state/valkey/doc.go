// Package valkey keeps sealed records in a Valkey or Redis server that several
// replicas share.
//
//	server := valkey.Open(valkey.Options{Network: "tcp", Address: "valkey:6379", TLS: &tls.Config{}, Prefix: "rolepass:"})
//	err := server.Put(ctx, "session:"+id, record, expires)
//
// The server is trusted with being there, and with its memory: that what was deleted
// is gone, and what was used is known. It sees names and sealed bytes (package state
// says what each is bound to), and of what it answers a record is read up to a length
// only. Where it does not answer, every call is an error: nobody is let in by a guess,
// and no assertion counts as unused.
//
// Lives are sent as lengths of time, never as times: the server's clock may be
// wrong.
package valkey

// Package s3guard stands before an S3 server in demonstrations and tests and
// refuses what AWS refuses but the server behind it tolerates: two kinds of
// authorization at once, headers that should have been signed, locations from
// the future, other regions' scopes, keys that are too long.
//
//	guard, err := s3guard.New(s3guard.Options{Store: store, Region: "eu-west-1", Log: file})
//	http.Serve(listener, guard)
//
// What it lets pass goes on byte for byte: path, query, Host and body, both
// ways as a stream. It appends one line of JSON per request to its log before
// the answer leaves, see [Record].
//
// It verifies no signature and knows no policy: that is the server's work. It
// reads path-style addresses only (/bucket/key), and it is for the browser's
// and the applications' requests: the server's own calls (token service,
// administration) go to the server directly and are refused here.
package s3guard

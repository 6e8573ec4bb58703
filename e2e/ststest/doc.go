// Package ststest holds the tests of cmd/samlsts against real parts: the
// program as it is built, a real MinIO server behind it, the AWS SDK for Go
// and boto3 before it. It has nothing but tests.
//
// The tests need two things that `make test` provides: ROLEPASS_MINIO, the
// path of a minio binary, and ROLEPASS_PYTHON, a Python interpreter with the
// packages minio and boto3. Without them they fail, and say so.
package ststest

#!/bin/sh
# Says what is missing when not even the Go program that looks for everything
# else can run. A Go since 1.21 fetches the version of go.mod by itself.
wanted=$(sed -n 's/^go //p' go.mod)
have=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null)
case $have in
go1.2[1-9]* | go1.[3-9][0-9]* | devel*) exit 0 ;;
esac
echo "This machine lacks something. Once this is in order, run the same command again:"
echo "  - ${have:-there is no Go}: Go $wanted or later is needed"
echo "    Install it from https://go.dev/dl/."
command -v python3 >/dev/null || {
	echo "  - there is no python3: Python 3.10 to 3.13 is needed, with its modules venv and ensurepip"
	echo "    Install it with the system's package manager."
}
exit 1

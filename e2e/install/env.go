package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// writeEnv writes where everything is to the file env: for the programs of
// the demonstration and the tests, which read nothing else.
func writeEnv(cache string, found finds) error {
	envoy, err := envoyProgram(filepath.Join(cache, envoyFolder))
	if err != nil {
		return err
	}
	text := line("ROLEPASS_ENVOY", envoy) +
		line("ROLEPASS_LABEL_STUDIO_BIN", filepath.Join(cache, labelStudioFolder, "bin", "label-studio")) +
		line("ROLEPASS_LABEL_STUDIO_TEMPLATE", filepath.Join(cache, templateFolder, databaseName)) +
		line("ROLEPASS_MINIO", filepath.Join(cache, minioFolder, "minio")) +
		line("ROLEPASS_PYTHON", filepath.Join(cache, pythonFolder, "bin", "python")) +
		line("ROLEPASS_SAML_PYTHON", filepath.Join(cache, providerFolder, "bin", "python"))
	if _, err := os.Stat(filepath.Join(cache, oldestFolder)); err == nil {
		oldest, err := envoyProgram(filepath.Join(cache, oldestFolder))
		if err != nil {
			return err
		}
		text += line("ROLEPASS_ENVOY_OLDEST", oldest)
	}
	if found.browser != "" {
		text += line("ROLEPASS_BROWSER", found.browser)
	}
	if found.nginx != "" {
		text += line("ROLEPASS_NGINX", found.nginx)
	}
	if found.valkey != "" {
		text += line("ROLEPASS_VALKEY", found.valkey)
	}
	return replace(filepath.Join(cache, "env"), text)
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_./@%+=:,-]+$`)

// line assigns a value as a POSIX shell reads it, in quotes only if it must.
func line(key, value string) string {
	if !plain.MatchString(value) {
		value = "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
	}
	return fmt.Sprintf("%s=%s\n", key, value)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// minio is the last version of MinIO's repository. It is licensed under the
// AGPL: it is run as a program, never linked.
const minio = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"

// Space that a machine needs: before anything is there (packages, and the
// caches of pip and go), and for a run.
const (
	coldDisk = 4 << 30
	warmDisk = 512 << 20
)

// The folders of the cache.
const (
	envoyFolder       = "envoy"
	labelStudioFolder = "label-studio"
	templateFolder    = "label-studio-template"
	minioFolder       = "minio"
	pythonFolder      = "python"
	providerFolder    = "service-provider"
)

func wantedDisk(cache string) uint64 {
	for _, folder := range []string{envoyFolder, templateFolder, minioFolder, pythonFolder, providerFolder} {
		if _, err := os.Stat(filepath.Join(cache, folder, stampName)); err != nil {
			return coldDisk
		}
	}
	return warmDisk
}

// plan is everything there is to install: chains of steps, each of which
// needs the one before it.
func plan(root, cache string, with python) ([][]step, error) {
	requirements := func(name string) (file, text string, err error) {
		file = filepath.Join(root, "e2e", name)
		read, err := os.ReadFile(file)
		return file, string(read), err
	}
	envoyFile, envoyText, err1 := requirements("requirements-envoy.txt")
	studioFile, studioText, err2 := requirements("requirements-label-studio.txt")
	pythonFile, pythonText, err3 := requirements("requirements-python.txt")
	providerFile, providerText, err4 := requirements("requirements-service-provider.txt")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, fmt.Errorf("reading what is required: %w", err)
	}
	envoy := environment(with, envoyFolder, "Envoy", envoyFile, envoyText)
	envoy.make = findsEnvoy(envoy.make)
	studio := environment(with, labelStudioFolder, "Label Studio", studioFile, studioText)
	studio.files = append(studio.files, "bin/label-studio")
	return [][]step{
		{studio, template(cache, studio)},
		{goInstall(minioFolder, "MinIO", minio, "minio")},
		{envoy},
		{environment(with, pythonFolder, "Python clients of S3", pythonFile, pythonText)},
		{environment(with, providerFolder, "a SAML service provider", providerFile, providerText)},
	}, nil
}

// environment makes a virtual environment with the requirements in it.
func environment(with python, folder, title, file, text string) step {
	return step{
		name: folder, title: title,
		inputs: []string{text, with.path, with.version.String()},
		files:  []string{"bin/python"},
		make: func(ctx context.Context, dir string, log *os.File) error {
			if err := command(ctx, log, inherited(), with.path, "-m", "venv", dir); err != nil {
				return err
			}
			pip := inherited("PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_NO_INPUT=1")
			return command(ctx, log, pip, filepath.Join(dir, "bin", "python"), "-m", "pip", "install", "--requirement", file)
		},
	}
}

// template makes a database of Label Studio that has all its tables and
// nobody in it. Every command of Label Studio brings its database up to date
// first; version does nothing else that would show in it.
func template(cache string, studio step) step {
	return step{
		name: templateFolder, title: "Label Studio's empty database",
		inputs: studio.inputs,
		files:  []string{databaseName},
		make: func(ctx context.Context, dir string, log *os.File) error {
			scratch, err := os.MkdirTemp("", "label-studio-template-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(scratch)
			quiet := []string{
				"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "HOME=" + scratch, "LABEL_STUDIO_BASE_DATA_DIR=" + scratch, "SECRET_KEY=only-for-the-template",
				"COLLECT_ANALYTICS=False", "LATEST_VERSION_CHECK=False", "SENTRY_DSN=", "FRONTEND_SENTRY_DSN=",
			}
			if err := command(ctx, log, quiet, filepath.Join(cache, studio.name, "bin", "label-studio"), "version"); err != nil {
				return err
			}
			database, err := os.ReadFile(filepath.Join(scratch, databaseName))
			if err != nil {
				return fmt.Errorf("Label Studio made no database: %w", err)
			}
			return os.WriteFile(filepath.Join(dir, databaseName), database, 0o644)
		},
	}
}

const databaseName = "label_studio.sqlite3"

// goInstall builds a program with the go command, outside of our module.
func goInstall(folder, title, target, program string) step {
	return step{
		name: folder, title: title, inputs: []string{target}, files: []string{program},
		make: func(ctx context.Context, dir string, log *os.File) error {
			return command(ctx, log, inherited("GOBIN="+dir, "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS="), "go", "install", "-trimpath", "-ldflags=-s -w", target)
		},
	}
}

// findsEnvoy makes a step fail unless Envoy itself is in the folder, and runs.
func findsEnvoy(before func(context.Context, string, *os.File) error) func(context.Context, string, *os.File) error {
	return func(ctx context.Context, dir string, log *os.File) error {
		if err := before(ctx, dir, log); err != nil {
			return err
		}
		program, err := envoyProgram(dir)
		if err != nil {
			return err
		}
		return command(ctx, log, inherited(), program, "--version")
	}
}

// envoyProgram finds Envoy in a virtual environment. bin/envoy is a Python
// script that starts the program in the package; a test that wants to signal
// and to measure Envoy needs the program.
func envoyProgram(dir string) (string, error) {
	found := ""
	err := filepath.WalkDir(filepath.Join(dir, "lib"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() != "envoy" || !entry.Type().IsRegular() {
			return err
		}
		if executable(path) {
			found = path
			return fs.SkipAll
		}
		return nil
	})
	if err == nil && found == "" {
		err = errors.New("the package has no program named envoy")
	}
	if err != nil {
		return "", fmt.Errorf("finding Envoy in %s: %w", dir, err)
	}
	return found, nil
}

// executable says whether a file begins as ELF or Mach-O programs do.
func executable(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	var magic [4]byte
	if _, err := file.Read(magic[:]); err != nil {
		return false
	}
	return strings.HasPrefix(string(magic[:]), "\x7fELF") || string(magic[:]) == "\xcf\xfa\xed\xfe"
}

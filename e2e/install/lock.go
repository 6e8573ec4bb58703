package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockPause is how often a waiting install looks again.
const lockPause = 200 * time.Millisecond

// lock keeps a second install out of the folder. It waits for the first, and
// says so. The lock ends with the process, however that ends.
func lock(ctx context.Context, cache string, say io.Writer) (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(cache, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking the folder: %w", err)
	}
	again := time.NewTicker(lockPause)
	defer again.Stop()
	for waited := false; ; waited = true {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			_ = file.Close()
			return nil, fmt.Errorf("locking the folder: %w", err)
		}
		if !waited {
			fmt.Fprintf(say, "Another install works in %s; waiting for it.\n", cache)
		}
		select {
		case <-ctx.Done():
			_ = file.Close()
			return nil, errors.New("interrupted while waiting for another install")
		case <-again.C:
		}
	}
}

package samlsts

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// Record is one line of the log: one call and what came of it. Fields that are
// not known, because the call was refused before, are left out. It never holds
// a secret, nor who or what an assertion names that is not verified.
type Record struct {
	Time      time.Time `json:"time"`
	RequestID string    `json:"request_id"`
	// Code is OK, or the error code that was answered.
	Code string `json:"code"`
	// Message is what was answered, Why what was not.
	Message string `json:"message,omitempty"`
	Why     string `json:"why,omitempty"`
	// Role and Provider are what was asked for, where it is configured.
	Role     string `json:"role,omitempty"`
	Provider string `json:"provider,omitempty"`
	// SessionName is the verified RoleSessionName.
	SessionName string `json:"session_name,omitempty"`
	AccessKeyID string `json:"access_key_id,omitempty"`
	// Expires is the credentials' end as the store states it.
	Expires *time.Time `json:"expires,omitempty"`
	// Narrowed says whether a session policy was passed. It is there on every
	// line with code OK.
	Narrowed *bool `json:"narrowed,omitempty"`
}

// journal appends records to a file. Nil is a journal that keeps nothing.
type journal struct {
	mu   sync.Mutex
	file *os.File
}

func openJournal(file string) (*journal, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening issued_log: %w", err)
	}
	return &journal{file: f}, nil
}

// add appends one record, whole or with an error.
func (j *journal) add(r Record) error {
	if j == nil {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("writing issued_log: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("writing issued_log: %w", err)
	}
	return nil
}

func (j *journal) Close() error {
	if j == nil {
		return nil
	}
	return j.file.Close()
}

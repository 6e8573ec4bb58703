package main

import (
	"os"
	"regexp"
	"testing"
)

// TestTheUnitServesAndDoesNothingBefore: what fails before serve keeps everybody
// out, and validate fails for what serve can live with.
func TestTheUnitServesAndDoesNothingBefore(t *testing.T) {
	unit, err := os.ReadFile("../../deploy/systemd/rolepass.service")
	if err != nil {
		t.Fatal(err)
	}
	runs := regexp.MustCompile(`(?m)^Exec.*$`).FindAllString(string(unit), -1)
	if want := "ExecStart=/usr/bin/rolepass serve --config /etc/rolepass/rolepass.yaml"; len(runs) != 1 || runs[0] != want {
		t.Errorf("the unit runs %q, want %q alone", runs, want)
	}
}

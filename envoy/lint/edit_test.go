package lint_test

import (
	"strings"
	"testing"
)

// edit is one small change of a configuration's text. It gives the text as it
// was where it finds nothing to change.
type edit func(string) string

// swap writes one thing for another, once.
func swap(old, new string) edit {
	return func(text string) string { return strings.Replace(text, old, new, 1) }
}

// everywhere does so wherever it stands.
func everywhere(old, new string) edit {
	return func(text string) string { return strings.ReplaceAll(text, old, new) }
}

// before adds lines before the first line that begins so, indented like it.
func before(beginning string, lines ...string) edit {
	return onBlock(beginning, func(block []string, indent string) []string { return append(indented(indent, lines), block...) })
}

// without removes the first line that begins so, and what belongs to it.
func without(beginning string) edit {
	return onBlock(beginning, func([]string, string) []string { return nil })
}

// replace writes lines in place of that.
func replace(beginning string, lines ...string) edit {
	return onBlock(beginning, func(_ []string, indent string) []string { return indented(indent, lines) })
}

// in changes only what follows the first line that begins so.
func in(beginning string, change edit) edit {
	return func(text string) string {
		lines := strings.SplitAfter(text, "\n")
		for i, line := range lines {
			if strings.HasPrefix(strings.TrimSpace(line), beginning) {
				return strings.Join(lines[:i+1], "") + change(strings.Join(lines[i+1:], ""))
			}
		}
		return text
	}
}

func onBlock(beginning string, change func(block []string, indent string) []string) edit {
	return func(text string) string {
		lines := strings.SplitAfter(text, "\n")
		for i, line := range lines {
			content := strings.TrimLeft(line, " ")
			if !strings.HasPrefix(content, beginning) {
				continue
			}
			indent := line[:len(line)-len(content)]
			end := i + 1
			for end < len(lines) && belongs(lines[end], content, indent) {
				end++
			}
			return strings.Join(lines[:i], "") + strings.Join(change(lines[i:end:end], indent), "") + strings.Join(lines[end:], "")
		}
		return text
	}
}

// belongs says that a line is below a field or an item of a list that begins
// with this indent. The items of a field's list are indented like the field.
func belongs(line, content, indent string) bool {
	below := strings.HasPrefix(line, indent+" ")
	item := !strings.HasPrefix(content, "-") && strings.HasPrefix(line, indent+"- ")
	return below || item
}

func indented(indent string, lines []string) (out []string) {
	for _, line := range lines {
		out = append(out, indent+line+"\n")
	}
	return out
}

func (e edit) of(t *testing.T, text string) string {
	t.Helper()
	edited := e(text)
	if edited == text {
		t.Fatal("the edit changes nothing")
	}
	return edited
}

package extauthz

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/rolepass/rolepass/envoy/contract"
	"github.com/rolepass/rolepass/login"
)

// This file writes a yes as message and proto.Marshal would, without the
// messages. Each message stands behind its own length, so each has a size
// beside its append. The numbers are those of external_auth.proto, base.proto
// and struct.proto; protobuf leaves out what is empty, and so does this.

// encodable says that its headers may be sent, and that all of it is text:
// protobuf refuses to write what is not.
func (y *yes) encodable() bool {
	return visibleHeaders(y.set) && visibleHeaders(y.add) && utf8.ValidString(y.code) && utf8.ValidString(y.session) && utf8.ValidString(y.route)
}

// append writes the CheckResponse: an empty Status (1), which is OK, the
// OkHttpResponse (3) and the metadata (4).
func (y *yes) append(dst []byte) []byte {
	dst = append(dst, 1<<3|wireBytes, 0)
	dst = begin(dst, 3, y.okSize())
	for _, h := range y.set {
		dst = appendOption(dst, 2, h)
	}
	for _, name := range y.remove {
		dst = appendText(dst, 5, name)
	}
	for _, h := range y.add {
		dst = appendOption(dst, 6, h)
	}
	dst = begin(dst, 4, y.metadataSize())
	for _, entry := range y.metadata() {
		if entry.Value != "" {
			dst = appendEntry(dst, entry)
		}
	}
	return dst
}

func (y *yes) size() int { return 2 + sized(y.okSize()) + sized(y.metadataSize()) }

func (y *yes) okSize() (n int) {
	for _, h := range y.set {
		n += sized(optionSize(h))
	}
	for _, name := range y.remove {
		n += sized(len(name))
	}
	for _, h := range y.add {
		n += sized(optionSize(h))
	}
	return n
}

// metadata is what metadata makes a Struct of.
func (y *yes) metadata() [3]login.Header {
	return [3]login.Header{{Name: contract.CodeKey, Value: y.code}, {Name: contract.SessionKey, Value: y.session}, {Name: contract.RouteKey, Value: y.route}}
}

func (y *yes) metadataSize() (n int) {
	for _, entry := range y.metadata() {
		if entry.Value != "" {
			n += sized(entrySize(entry))
		}
	}
	return n
}

// appendEntry writes an entry of a Struct's fields (1): the name (1) and a
// Value (2) with a string_value (3).
func appendEntry(dst []byte, entry login.Header) []byte {
	dst = appendText(begin(dst, 1, entrySize(entry)), 1, entry.Name)
	return appendText(begin(dst, 2, sized(len(entry.Value))), 3, entry.Value)
}

func entrySize(entry login.Header) int {
	return sized(len(entry.Name)) + sized(sized(len(entry.Value)))
}

// action is the append_action (3) that written gives a header:
// OVERWRITE_IF_EXISTS_OR_ADD, or for a cookie the other one, which is zero.
func action(h login.Header) []byte {
	if h.Name == "set-cookie" {
		return nil
	}
	return overwriteAction
}

var overwriteAction = []byte{3 << 3, 2}

// appendOption writes a HeaderValueOption: a HeaderValue (1) and the action.
func appendOption(dst []byte, number byte, h login.Header) []byte {
	dst = begin(begin(dst, number, optionSize(h)), 1, headerSize(h))
	return append(appendFilled(appendFilled(dst, 1, h.Name), 2, h.Value), action(h)...)
}

func optionSize(h login.Header) int { return sized(headerSize(h)) + len(action(h)) }

func headerSize(h login.Header) int { return filled(h.Name) + filled(h.Value) }

// sized is the size of a field with contents of n bytes, and filled that of a
// text which is left out if it is empty.
func sized(n int) int { return 1 + protowire.SizeVarint(uint64(n)) + n }

func filled(text string) int {
	if text == "" {
		return 0
	}
	return sized(len(text))
}

// begin writes the tag of a field and how many bytes follow.
func begin(dst []byte, number byte, n int) []byte {
	return protowire.AppendVarint(append(dst, number<<3|wireBytes), uint64(n))
}

func appendText(dst []byte, number byte, text string) []byte {
	return append(begin(dst, number, len(text)), text...)
}

func appendFilled(dst []byte, number byte, text string) []byte {
	if text == "" {
		return dst
	}
	return appendText(dst, number, text)
}

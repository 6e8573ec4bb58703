// Package config reads Rolepass's configuration.
//
//	c, err := config.Load("/etc/rolepass/rolepass.yaml", config.Everything)
//	// err lists every problem of the file, each with its line
//	// c.Warnings is what is allowed and should be known
//
// The type Config is the manual: it has a paragraph for each key. A file with
// comments that shows all of them is in testdata/rolepass.yaml.
//
// Reading is strict, because a slip of the pen in this file can open what it
// should close: unknown and repeated keys are errors, and so are anchors,
// aliases, merge keys, tags, a second document, numbers where text is
// expected, and words that some YAML readers take for true or false. Values
// are parsed by the packages that use them. The names of files are relative to
// the configuration's own directory.
//
// It is offline: files are opened, addresses are not. It builds nothing and
// holds no secret, only the names of files that do.
package config

// Package labelstudiotest proves against a real Label Studio what packages
// labelstudio, labelstudio/client and labelstudio/signin take for granted about
// it: which addresses it serves objects at and how leniently it reads them, how
// it finds URIs in a task, what it answers to whom, and that people are signed
// in without changing it.
//
// ROLEPASS_LABEL_STUDIO_BIN names the label-studio executable and
// ROLEPASS_LABEL_STUDIO_TEMPLATE a migrated database without anything in it;
// `make test` sets both.
package labelstudiotest

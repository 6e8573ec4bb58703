// Package decisiontest has a reference of the decision about an object, slow
// and obvious, and a world in which the real one can be held against it:
//
//	w := decisiontest.NewWorld(start)
//	h := decisiontest.Begin(w, seed)
//	err := h.Run(ctx) // logins, grants, revocations, expiries, answers, fetches
//
// Both are told the same history; where they disagree, the error has the
// history and its seed. Tests only: no program links it.
package decisiontest

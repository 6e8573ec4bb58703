package grants

import (
	"fmt"
	"slices"

	"github.com/rolepass/rolepass/presign"
)

// Set is a compiled list of grants. It does not change and is safe for
// concurrent use. The cost of a question does not depend on how many grants
// there are, only on how many different lengths the prefixes of one role in
// one bucket have.
type Set struct{ roles map[string]*role }

// role is what is granted to one role.
type role struct {
	buckets  map[string]*bucket
	policies []string
}

// bucket is what one role may read in one bucket.
type bucket struct {
	// lengths are those of the prefixes, each once, the longest first.
	lengths  []int
	prefixes map[string]*node
}

// node is one prefix of one role with the scopes in which it is granted.
type node struct {
	shard int
	// anywhere is the grant without a place, if there is one.
	anywhere *rule
	// places are the grants with places: by narrowness, and by an identifier
	// in the scope's narrowest dimension.
	places [8]map[int64][]*rule
}

// rule is one grant under one of its prefixes.
type rule struct {
	grant Grant
	index int
}

// Choice is the grant under which an object may be read. Its lists are the
// set's own: read them, and change nothing.
type Choice struct {
	Grant Grant
	// Index is the grant's place in the list that was compiled, from 0.
	Index int
	// Prefix is the one of the grant's prefixes that covers the object.
	Prefix Prefix
	// RoleARN is the grant's role, and Shard says which of its session
	// policies covers the prefix.
	RoleARN string
	Shard   int
}

// Compile makes a Set of grants. kms names the buckets whose objects are
// encrypted with SSE-KMS, each with its region; the policies of roles that
// read in them allow the decryption. It may be nil.
//
// All problems are reported, each an *Error; the Set is nil if there is one.
// Two grants that give one role the same prefix in overlapping scopes of the
// same narrowness are a problem, as nothing would say which of them counts.
func Compile(list []Grant, kms map[string]string) (*Set, []error) {
	var problems []error
	list = slices.Clone(list)
	for i, g := range list {
		list[i] = g.clone()
		problems = append(problems, g.check(i)...)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	set := &Set{roles: map[string]*role{}}
	for i, g := range list {
		for j, p := range g.Read {
			if err := set.add(list, i, p); err != nil {
				problems = append(problems, &Error{i, j, err})
			}
		}
	}
	problems = append(problems, set.compilePolicies(list, kms)...)
	if len(problems) > 0 {
		return nil, problems
	}
	return set, nil
}

// add files one prefix of the grant at an index.
func (s *Set) add(list []Grant, index int, p Prefix) error {
	fresh := &rule{list[index], index}
	n := s.node(fresh.grant.Role, p)
	if twin := n.twin(fresh.grant.Scope); twin != nil {
		if twin.index == index {
			return fmt.Errorf("it names %s twice: leave one out", p)
		}
		return fmt.Errorf("grants %d and %d both give role %s the prefix %s in overlapping places: join them, or narrow one", twin.index+1, index+1, fresh.grant.Role, p)
	}
	n.file(fresh)
	return nil
}

func (s *Set) node(roleARN string, p Prefix) *node {
	r := s.roles[roleARN]
	if r == nil {
		r = &role{buckets: map[string]*bucket{}}
		s.roles[roleARN] = r
	}
	b := r.buckets[p.Bucket]
	if b == nil {
		b = &bucket{prefixes: map[string]*node{}}
		r.buckets[p.Bucket] = b
	}
	n := b.prefixes[p.Key]
	if n == nil {
		n = &node{}
		b.prefixes[p.Key] = n
		longestFirst := func(a, b int) int { return b - a }
		if at, found := slices.BinarySearchFunc(b.lengths, len(p.Key), longestFirst); !found {
			b.lengths = slices.Insert(b.lengths, at, len(p.Key))
		}
	}
	return n
}

// twin finds a rule that a scope would tie with.
func (n *node) twin(s Scope) *rule {
	if s.Anywhere {
		return n.anywhere
	}
	for _, id := range s.narrowest() {
		for _, r := range n.places[s.narrowness()][id] {
			if r.grant.Scope.overlaps(s) {
				return r
			}
		}
	}
	return nil
}

func (n *node) file(r *rule) {
	s := r.grant.Scope
	if s.Anywhere {
		n.anywhere = r
		return
	}
	byID := &n.places[s.narrowness()]
	if *byID == nil {
		*byID = map[int64][]*rule{}
	}
	for _, id := range s.narrowest() {
		(*byID)[id] = append((*byID)[id], r)
	}
}

// at finds the rule with the narrowest scope that contains a place.
func (n *node) at(p Place) (*rule, int) {
	for narrowness := len(n.places) - 1; narrowness > 0; narrowness-- {
		if n.places[narrowness] == nil {
			continue
		}
		alone := narrowness&(narrowness-1) == 0 // one dimension, found already
		for _, r := range n.places[narrowness][p.narrowest(narrowness)] {
			if alone || r.grant.Scope.Contains(p) {
				return r, narrowness
			}
		}
	}
	return n.anywhere, 0
}

// Granted says whether any grant names a role.
func (s *Set) Granted(roleARN string) bool {
	_, ok := s.roles[roleARN]
	return ok
}

// Any says whether some grant lets one of the roles read an object in some
// place: without it there is nothing to ask the application about.
func (s *Set) Any(roles []string, l presign.Location) bool {
	for _, arn := range roles {
		if b := s.bucket(arn, l.Bucket); b != nil {
			for _, length := range b.lengths {
				if _, ok := b.covering(l.Key, length); ok {
					return true
				}
			}
		}
	}
	return false
}

// Choose finds the grant under which one of the roles reads an object in a
// place: the one with the longest prefix, of those the one with the narrowest
// scope, of those the first of the list. False: none, so refuse.
func (s *Set) Choose(roles []string, l presign.Location, p Place) (Choice, bool) {
	var best candidate
	for _, arn := range roles {
		if b := s.bucket(arn, l.Bucket); b != nil {
			if c, ok := b.choose(l.Key, p); ok && c.before(best) {
				best = c
			}
		}
	}
	if best.rule == nil {
		return Choice{}, false
	}
	g := best.rule.grant
	return Choice{
		Grant:   g,
		Index:   best.rule.index,
		Prefix:  Prefix{l.Bucket, l.Key[:best.length]},
		RoleARN: g.Role,
		Shard:   best.node.shard,
	}, true
}

func (s *Set) bucket(roleARN, name string) *bucket {
	if r := s.roles[roleARN]; r != nil {
		return r.buckets[name]
	}
	return nil
}

// covering finds the prefix of a length that covers a key.
func (b *bucket) covering(key string, length int) (*node, bool) {
	if length > len(key) || length > 0 && key[length-1] != '/' {
		return nil, false
	}
	n, ok := b.prefixes[key[:length]]
	return n, ok
}

func (b *bucket) choose(key string, p Place) (candidate, bool) {
	for _, length := range b.lengths {
		if n, ok := b.covering(key, length); ok {
			if r, narrowness := n.at(p); r != nil {
				return candidate{r, n, length, narrowness}, true
			}
		}
	}
	return candidate{}, false
}

// candidate is a rule that matches, with what it is compared by.
type candidate struct {
	rule       *rule
	node       *node
	length     int
	narrowness int
}

// before says whether a candidate is to be preferred to another, or to none.
func (c candidate) before(d candidate) bool {
	switch {
	case d.rule == nil:
		return true
	case c.length != d.length:
		return c.length > d.length
	case c.narrowness != d.narrowness:
		return c.narrowness > d.narrowness
	}
	return c.rule.index < d.rule.index
}

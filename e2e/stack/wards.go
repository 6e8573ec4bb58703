package stack

import "strconv"

// wards are the roles that Options.Wards adds.
func (s *Stack) wards() (roles []string) {
	for i := range s.Wards {
		roles = append(roles, "arn:aws:iam::111122223333:role/ward-"+strconv.Itoa(i+1))
	}
	return roles
}

// everyone are the people at the identity provider.
func (s *Stack) everyone() []person {
	if s.Wards == 0 {
		return people
	}
	return append(people[:len(people):len(people)], s.ward())
}

func (s *Stack) ward() person {
	return person{"ward", "ward@hospital.example", "Wanda", "Ng", s.wards(), true, nil}
}

// Ward is the account that has all roles of the wards. demo.json does not name it.
func (s *Stack) Ward() Account { return s.ward().account() }

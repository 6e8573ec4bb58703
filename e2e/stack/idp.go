package stack

import (
	"net"
	"strings"

	"github.com/rolepass/rolepass/e2e/demo/idp"
)

// startIdP starts the identity provider, on 127.0.0.1: another site than the
// application's localhost.
func (s *Stack) startIdP() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.Demo.IdP = "http://" + listener.Addr().String()
	o := idp.Options{
		Address: s.Demo.IdP, Application: idp.Application{ACS: s.acs(), EntityID: s.entity()},
		More: []idp.Application{{ACS: s.observedACS(), EntityID: s.observedACS()}},
	}
	for _, address := range s.applications() {
		o.More = append(o.More, idp.Application{ACS: address + acsPath, EntityID: address + entityPath})
	}
	for _, p := range s.everyone() {
		who := idp.Person{Name: p.name, Password: password(p.name), Email: p.email, First: p.first, Last: p.last, Groups: p.groups}
		for _, role := range p.roles {
			who.Roles = append(who.Roles, role+","+provider)
		}
		o.People = append(o.People, who)
	}
	if s.idp, err = idp.New(o); err != nil {
		return err
	}
	s.atIdP = s.servesOn(listener, s.idp)
	return nil
}

// WithoutIdP has nobody at the identity provider's port while do runs.
func (s *Stack) WithoutIdP(do func()) (err error) {
	if err := s.atIdP.Close(); err != nil {
		return err
	}
	// Also when do ends the test.
	defer func() {
		listener, failed := net.Listen("tcp", strings.TrimPrefix(s.Demo.IdP, "http://"))
		if err = failed; err == nil {
			s.atIdP = s.servesOn(listener, s.idp)
		}
	}()
	do()
	return nil
}

package config

import "time"

func (s section) session(c *Config) {
	v := s.get("session")
	a := s.section(v, "idle", "absolute", "per_person")
	c.Session = Session{
		Idle:      a.duration("idle", 30*time.Minute, time.Minute, 24*time.Hour),
		Absolute:  a.duration("absolute", 8*time.Hour, 5*time.Minute, 24*time.Hour),
		PerPerson: a.number("per_person", 20, 1, 1000),
	}
	if c.Session.Idle > c.Session.Absolute {
		s.problem(v.place, "idle (%s) is longer than absolute (%s): no login lives long enough to be idle for that; shorten idle", short(c.Session.Idle), short(c.Session.Absolute))
	}
}

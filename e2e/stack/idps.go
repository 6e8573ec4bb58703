package stack

import (
	"context"
	"errors"
	"maps"
)

// WithIdPs is WithConfig with the settings of identity providers changed; the
// function is called for each, and the settings are a copy.
func (s *Stack) WithIdPs(ctx context.Context, change func(name string, settings map[string]any), do func()) error {
	all, ok := s.config["idps"].([]any)
	if !ok {
		return errors.New("the configuration has no idps")
	}
	var changed []any
	for _, one := range all {
		settings, ok := one.(map[string]any)
		if !ok {
			return errors.New("an identity provider of the configuration has no settings")
		}
		settings = maps.Clone(settings)
		name, _ := settings["name"].(string)
		change(name, settings)
		changed = append(changed, settings)
	}
	return s.WithConfig(ctx, map[string]any{"idps": changed}, do)
}

package envoy

import "github.com/goccy/go-yaml"

func commentMap(tree any) yaml.CommentMap { return nil }

package main

import (
	"github.com/spf13/cobra"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/envoy"
)

func generateIstioCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "istio --config FILE",
		Short: "Print what makes an Istio ingress gateway the edge",
		Long: "Print a Gateway and an EnvoyFilter for `kubectl apply`, with the reason beside each choice. The port of `envoy: listen` is the one that the gateway's pods listen on. " +
			"It reads no file beside the configuration, so it may run anywhere.",
		Args: nothing,
	}
	path := configFlag(c)
	var ingress envoy.Ingress
	c.Flags().StringVar(&ingress.Namespace, "namespace", "istio-ingress", "the namespace of the gateway's pods")
	c.Flags().StringToStringVar(&ingress.Labels, "selector", map[string]string{"istio": "ingressgateway"}, "the labels that choose the gateway's pods")
	c.Flags().Uint32Var(&ingress.Port, "port", 0, "the port of the gateway's Service (default: the port of public_url)")
	c.Flags().StringVar(&ingress.Credential, "credential", "", "the Secret of public_url's certificate, in that namespace (https only)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		loaded, err := load(c, *path, config.ForMesh)
		if err != nil {
			return err
		}
		s := settings(loaded)
		if ingress.Port == 0 {
			ingress.Port = envoy.DefaultPort(s.PublicScheme, s.PublicHost)
		}
		bootstrap, err := envoy.Bootstrap(s)
		if err != nil {
			return found{err}
		}
		text, err := envoy.Istio(s, bootstrap, ingress)
		if err != nil {
			return found{err}
		}
		return say(c, "%s", text)
	}
	return c
}

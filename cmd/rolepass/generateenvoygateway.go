package main

import (
	"github.com/spf13/cobra"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/envoy"
)

func generateEnvoyGatewayCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "envoy-gateway --config FILE",
		Short: "Print what makes a Gateway of Envoy Gateway the edge",
		Long: "Print an EnvoyProxy, a Gateway and an EnvoyPatchPolicy for `kubectl apply`, with the reason beside each choice. Envoy Gateway must have enableEnvoyPatchPolicy. " +
			"It reads no file beside the configuration, so it may run anywhere.",
		Args: nothing,
	}
	path := configFlag(c)
	var edge envoy.GatewayEdge
	c.Flags().StringVar(&edge.Namespace, "namespace", "envoy-gateway-system", "the namespace of the Gateway, and of its certificate")
	c.Flags().StringVar(&edge.Class, "class", "eg", "the GatewayClass of Envoy Gateway")
	c.Flags().Uint32Var(&edge.Port, "port", 0, "the port that browsers come to (default: the port of public_url)")
	c.Flags().StringVar(&edge.Credential, "credential", "", "the Secret of public_url's certificate, in that namespace (https only)")
	c.Flags().StringVar(&edge.CheckSecret, "check-secret", "rolepass-check-gateway", "the Secret of the gateway's end of mutual TLS for Check, in the namespace of its pods")
	c.RunE = func(c *cobra.Command, _ []string) error {
		loaded, err := load(c, *path, config.ForMesh)
		if err != nil {
			return err
		}
		s := settings(loaded)
		if edge.Port == 0 {
			edge.Port = envoy.DefaultPort(s.PublicScheme, s.PublicHost)
		}
		bootstrap, err := envoy.Bootstrap(s)
		if err != nil {
			return found{err}
		}
		text, err := envoy.EnvoyGateway(s, bootstrap, edge)
		if err != nil {
			return found{err}
		}
		return say(c, "%s", text)
	}
	return c
}

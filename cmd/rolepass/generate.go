package main

import (
	"github.com/spf13/cobra"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/envoy"
)

func generateCommand() *cobra.Command {
	return group("generate", "Write other programs' configuration", generateEnvoyCommand(), generateIstioCommand(), generateEnvoyGatewayCommand())
}

func generateEnvoyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "envoy --config FILE",
		Short: "Print Envoy's bootstrap",
		Long:  "Print the bootstrap for `envoy --config-path`, with the reason beside each choice. It reads no file beside the configuration, so it may run anywhere.",
		Args:  nothing,
	}
	path := configFlag(c)
	fragment := c.Flags().Bool("fragment", false, "print only what an Envoy that exists needs beside what it has")
	c.RunE = func(c *cobra.Command, _ []string) error {
		loaded, err := load(c, *path, config.ForEnvoy)
		if err != nil {
			return err
		}
		bootstrap, err := envoy.Bootstrap(settings(loaded))
		if err != nil {
			return found{err}
		}
		write := envoy.YAML
		if *fragment {
			write = envoy.Fragment
		}
		text, err := write(bootstrap)
		if err != nil {
			return found{err}
		}
		return say(c, "%s", text)
	}
	return c
}

// settings are what the bootstrap depends on.
func settings(c *config.Config) envoy.Settings {
	s := envoy.Settings{
		PublicScheme: c.PublicURL.Scheme, PublicHost: c.PublicURL.Host,
		Listen: c.Envoy.Listen, CertFile: c.Envoy.Certificate, KeyFile: c.Envoy.PrivateKey,
		Admin: c.Envoy.Admin, AccessLog: c.Envoy.AccessLog, CAFile: c.Envoy.CA, AppCAFile: c.LabelStudio.CA,
		CheckAddress: c.Envoy.CheckAddress, AppURL: c.AppURL(), ACSPath: c.ACSPath,
		KeepCredentials:     c.LabelStudio.APIClients == config.APIClientsPass || len(c.Workloads) > 0 || c.Mode == config.Shadow,
		DynamicForwardProxy: c.Envoy.DynamicForwardProxy,
		TrustedHops:         uint32(c.Envoy.TrustedHops),
		S3SignedHeaders:     c.Presign.ByHeader,
	}
	if t := c.CheckTLS; t != nil {
		s.CheckTLS = &envoy.MutualTLS{CertFile: c.Envoy.CheckCertificate, KeyFile: c.Envoy.CheckPrivateKey, CAFile: c.Envoy.CheckCA, ServerName: t.Name}
	}
	for _, acs := range c.LabelStudio.ACS {
		s.ObservedACS = append(s.ObservedACS, acs.Path)
	}
	if c.Application != nil {
		s.LocationHeader = c.Application.LocationHeader
	}
	for _, bucket := range c.Buckets {
		s.S3 = append(s.S3, envoy.S3Endpoint{Host: bucket.Host, Scheme: bucket.Scheme})
	}
	return s
}

package chart_test

import (
	"strings"
	"testing"
)

// valkey is a state at a server.
const valkey = "config.state.kind=valkey,config.state.address=rediss://valkey,networkPolicy.valkey.to[0].podSelector.matchLabels.app=valkey"

// Values that would not work are refused with a sentence that says what to do.
func TestValuesThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ set, says string }{
		"two with state in memory":     {"replicas=2", "replicas is 2 and state is memory: each Rolepass would know only its own logins"},
		"two, and memory is said":      {"replicas=2,config.state.kind=memory", "write replicas: 1"},
		"two, and state is elsewhere":  {"replicas=2,config.state.kind=disk", "replicas is 2 and state is disk"},
		"a password file":              {"config.state.password_file=/x", "name the Secret in valkey.secret"},
		"a password in the state":      {"config.state.password=hunter2", "additional properties 'password' not allowed"},
		"a password in its address":    {valkey + ",config.state.address=rediss://me:hunter2@valkey", "an address in config has a user or a password"},
		"a password that nobody needs": {"valkey.secret=x", "config.state.kind is not valkey"},
		"authorities of nobody":        {"valkey.authorities.configMap=x", "config.state.kind is not valkey"},
		"a user without a password":    {valkey + ",config.state.user=rolepass", "name the Secret with the user's password"},
		"authorities twice":            {valkey + ",config.state.ca_file=/x,valkey.authorities.configMap=y", "keep one"},
		"no address":                   {"config.state.kind=valkey,networkPolicy.valkey.to[0].podSelector.matchLabels.app=valkey", "config.state.address is missing"},
		"authorities without TLS":      {"config.state.kind=valkey,config.state.address=unix:///run/valkey.sock,valkey.authorities.configMap=y", "config.state.address is not rediss"},
		"no way to the state":          {"config.state.kind=valkey,config.state.address=rediss://valkey", "networkPolicy.valkey.to is empty"},
		"none":                         {"replicas=0", "at '/replicas'"},
		"an unknown value":             {"replica=1", "additional properties 'replica' not allowed"},
		"an unknown key of rolepass":   {"config.lissten=x", "additional properties 'lissten' not allowed"},
		"an unknown value below":       {"networkPolicy.enable=false", "additional properties 'enable' not allowed"},
		"no configuration":             {"config=null", "missing property 'config'"},
		"another door":                 {"config.listen=127.0.0.1:9001", "config.listen is the chart's own to write: leave it out"},
		"an admin address":             {"config.admin=127.0.0.1:1", "config.admin is the chart's own"},
		"other keys":                   {"config.keys=/keys", "config.keys is the chart's own"},
		"no TLS of its own":            {"config.check_tls.name=x", "config.check_tls is the chart's own"},
		"a secret by its file":         {"config.label_studio.secret_key_file=/x", "name the Secret in labelStudio.secret"},
		"no keys":                      {"keys.secret=", "make a Secret from the directory of `rolepass keys new`"},
		"Check in the clear":           {"checkTLS.secret=", "Check is behind mutual TLS"},
		"no authorities":               {"authorities.configMap=", "neither IdP nor STS can be verified"},
		"no key of Label Studio":       {"labelStudio.secret=", "name the Secret that is mounted as label_studio.secret_key_file"},
		"a key that nobody needs":      {"config.label_studio.sign_in=own", "keep no secret where none is needed"},
		"no Envoy":                     {"networkPolicy.envoy=null", "say in which pods Envoy runs"},
		"no application":               {"networkPolicy.labelStudio.to=null", "say in which pods the application runs"},
		"no collector":                 {"config.traces.endpoint=https://otel.example.com", "say in which pods the collector runs"},
		"nobody who scrapes":           {"serviceMonitor.enabled=true", "say in which pods Prometheus runs"},
		"a secret as a value":          {"labelStudio.value=hunter2", "additional properties 'value' not allowed"},
		"a secret where it is read":    {"config.label_studio.secret_key=hunter2", "additional properties 'secret_key' not allowed"},
		"a secret in a list":           {"config.sts[0].name=aws,config.sts[0].secret_access_key=hunter2", "additional properties 'secret_access_key' not allowed"},
		"a secret in a section":        {"config.state.url=hunter2", "additional properties 'url' not allowed"},
		"a mapping for a text":         {"config.contact.secret=hunter2", "at '/config/contact'"},
		"a key in place of a file":     {"config.idps[0].decryption_key_file=-----BEGIN PRIVATE KEY-----hunter2", "a key or a certificate stands in config"},
		"a password in an address":     {"config.label_studio.proxy=http://me:hunter2@proxy.example.com", "an address in config has a user or a password"},
		"another pod's name":           {`podLabels.app\.kubernetes\.io/name=x`, "podLabels has app.kubernetes.io/name, which is the chart's own"},
		"a sidecar":                    {`podLabels.sidecar\.istio\.io/inject=yes`, "podLabels has sidecar.istio.io/inject"},
		"another checksum":             {"podAnnotations.checksum/config=x", "podAnnotations has checksum/config"},
		"a digest that is none":        {"image.digest=latest", "at '/image/digest'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, said, err := helm(t, "template", "rolepass", chart, "--values", "testdata/values/least.yaml", "--set", c.set)
			if err == nil || !strings.Contains(said, c.says) || strings.Contains(out, "kind:") {
				t.Errorf("--set %s is answered (%v)\n%s\nwant: %s", c.set, err, said, c.says)
			}
			if strings.Contains(said+out, "hunter2") {
				t.Errorf("--set %s: what was secret is said again:\n%s", c.set, said)
			}
		})
	}
}

// Every problem is said at once.
func TestAllThatIsWrongIsSaid(t *testing.T) {
	_, said, err := helm(t, "template", "rolepass", chart)
	for _, wanted := range []string{"config is empty", "keys.secret", "checkTLS.secret", "authorities.configMap", "networkPolicy.envoy", "networkPolicy.labelStudio.to"} {
		if err == nil || !strings.Contains(said, wanted) {
			t.Errorf("without values nothing is said about %s:\n%s", wanted, said)
		}
	}
}

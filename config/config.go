package config

import (
	"crypto/x509"
	"net/url"
	"time"

	"github.com/rolepass/rolepass/application"
	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/saml"
)

// Config is what rolepass.yaml says, read and checked. Each field names its
// key; durations are written as Go writes them: 90s, 30m, 8h.
type Config struct {
	// PublicURL (public_url, required) is the address that browsers use:
	// https, a host, a port if it is not 443, and nothing behind it. Plain
	// http is for localhost, 127.0.0.0/8 and ::1 only.
	PublicURL *url.URL

	// ACSPath (acs_path, default /rolepass/saml/acs) is where the IdP posts
	// its assertions. PublicURL and ACSPath together are the ACS URL: the IdP
	// writes it as Recipient, and the trust policy of each role compares it
	// as SAML:aud.
	ACSPath string

	// EntityID (entity_id, default PublicURL + /rolepass/saml/metadata) is
	// who we are to the IdPs, the Issuer of our requests. Where the IdP knows
	// one name only for application and audience (Okta, Entra ID), write
	// urn:amazon:webservices, which STS wants as Audience.
	EntityID string

	// Listen (listen, default unix:///run/rolepass/check.sock) is where Envoy
	// asks: unix:///PATH, or IP:PORT; beyond this machine with CheckTLS.
	Listen Listen

	// CheckTLS (check_tls; required where Listen is beyond this machine) is
	// mutual TLS between Envoy and Rolepass.
	CheckTLS *CheckTLS

	// Admin (admin, default 127.0.0.1:9002) is where health and metrics are:
	// HOST:PORT on loopback.
	Admin string

	// Monitoring (monitoring, IP:PORT; nowhere if left out) is where health and
	// metrics are once more, for those who watch from another machine: a
	// kubelet, Prometheus. In the clear, and read-only; let nobody else there.
	Monitoring string

	// CheckCodec (check_codec, default plain) is how Envoy's questions are read
	// and answered: plain with protobuf's own library, scan by looking at the
	// bytes, which costs less. Both say the same; scan is newer and has been
	// fuzzed for less long (docs/performance.md).
	CheckCodec CheckCodec

	// Keys (keys, required) is a directory with *.key files, made by
	// `rolepass keys new`, that only Rolepass's own user may read. The newest
	// one seals, all open.
	Keys string

	// Mode (mode, default enforce) is what becomes of decisions: enforce, or
	// shadow, which logs and counts them and lets every request go on to Label
	// Studio as if Rolepass were not there.
	Mode Mode

	// SAMLKeys (saml_keys, optional) is the directory that `rolepass keys saml`
	// made: with the keys there, requests and logout messages are signed, and
	// there is single logout. Without it, neither.
	SAMLKeys string

	// AdminSocket (admin_socket, optional) is the path of a Unix socket for
	// `rolepass sessions` and `rolepass keys rotate`: for Rolepass's own user
	// alone.
	AdminSocket string

	// IdPs (idps, at least one) are the identity providers.
	IdPs []IdP

	// STS (sts, at least one) are the token services.
	STS []STS

	// Buckets (buckets, at least one) are the buckets that objects are read
	// from. A bucket that is not listed is read by nobody.
	Buckets []Bucket

	// Grants (grants, at least one) are compiled: which role reads what.
	Grants *grants.Set
	// GrantList is what Grants was compiled from, in the order of the file.
	GrantList []grants.Grant
	// Titles are the projects that grants name by their title (project_titles);
	// Pin says which they are. Titles are looked up when Rolepass starts, and
	// each must be that of exactly one project.
	Titles []string
	// RoleSTS is the token service of each granted role: that of the buckets
	// that it reads, which is one for each role.
	RoleSTS map[string]string

	// Delivery (delivery, default route) is how objects are delivered where
	// their grant does not say: route (Envoy streams them, and nothing signed
	// leaves it), redirect (the browser is sent to the bucket with a signed
	// location; parts of objects and what a browser might run go by route all
	// the same) or header (the application is told the signed location; not
	// with Label Studio). A grant's own word is its deliver.
	Delivery grants.Delivery

	// LabelStudio (label_studio, required unless there is application) is the
	// application.
	LabelStudio LabelStudio

	// Application (application) is another application in Label Studio's
	// place; nil: there is none.
	Application *Application

	// Workloads (workloads, optional) are programs that read objects under
	// roles of their own.
	Workloads []Workload

	// Session (session) is the life of a login.
	Session Session

	// State (state) is where sessions and credentials are kept.
	State State

	// Presign (presign) is about signed locations.
	Presign Presign

	// Audit (audit, default stdout) is the file that decisions are appended
	// to, or the word stdout.
	Audit string

	// Record (record, optional) is where decisions are kept for `rolepass
	// replay`: who asked with which roles, for which bucket and prefix.
	Record Record

	// Traces (traces, optional) is where spans of decisions are sent.
	Traces Traces

	// Envoy (envoy) is what `rolepass generate envoy` writes beyond what
	// follows from the rest.
	Envoy Envoy

	// Contact (contact, optional) is whom a refused person is told to ask: an
	// address or a name.
	Contact string

	// Warnings are what is allowed and should be known.
	Warnings Problems

	// read knows the lines, for what is said after reading.
	read *reader
}

// ACS is the whole address of the assertion consumer service.
func (c *Config) ACS() string { return c.PublicURL.String() + c.ACSPath }

// CheckCodec is how Envoy's questions are read and answered.
type CheckCodec string

// The ways to read and answer.
const (
	CodecPlain CheckCodec = "plain"
	CodecScan  CheckCodec = "scan"
)

// CheckTLS names both ends of the connection between Envoy and Rolepass. Its
// files are Rolepass's own, and are read anew at each handshake.
type CheckTLS struct {
	// Certificate and PrivateKey (certificate, private_key, required) are PEM
	// files; others than its owner and group may not read the key.
	Certificate string
	PrivateKey  string
	// CA (ca, required) holds the authorities (PEM) that Envoy's certificate
	// is verified against.
	CA string
	// Name (name, required) is the DNS name in Certificate. Envoy wants it.
	Name string
	// EnvoyName (envoy_name, required) is the DNS name in Envoy's certificate.
	// Whoever has another one asks in vain.
	EnvoyName string
	// ends is the end of Certificate, where it was read.
	ends time.Time
}

// Listen is an address of Rolepass's own.
type Listen struct {
	// Network is unix or tcp, as in net.Listen.
	Network string
	// Address is the socket's path, or HOST:PORT.
	Address string
}

// String is what the configuration has: unix:///PATH or HOST:PORT.
func (l Listen) String() string {
	if l.Network == "unix" {
		return "unix://" + l.Address
	}
	return l.Address
}

// IdP is one identity provider.
type IdP struct {
	// Name (name, required) tells identity providers apart, in logs and at
	// the choice of one: a-z, 0-9 and hyphens.
	Name string

	// MetadataURL or MetadataFile (metadata, required) is where the IdP's
	// SAML metadata is: an https address (http on loopback), or a file. A
	// file is read at load.
	MetadataURL  *url.URL
	MetadataFile string
	// Metadata is what MetadataFile holds; nil for an address.
	Metadata *saml.Metadata

	// Audience (audience, at least one) are the values of which an assertion
	// must name one. AWS wants urn:amazon:webservices in it, too.
	Audience []string

	// Providers (providers, at least one) are the ARNs of the SAML providers
	// in IAM that hold this IdP's metadata. A role that is asserted with
	// another provider is ignored.
	Providers []string

	// DecryptionKeyFile (decryption_key_file, optional) holds the key for
	// which this IdP encrypts its assertions, and the certificate that it has
	// of it: both PEM, the key in PKCS #8. It is read at load. STS needs the
	// same key (in IAM: AddPrivateKey of the SAML provider). Left out, an
	// encrypted assertion is refused.
	DecryptionKeyFile string
	// Decryption is what DecryptionKeyFile holds.
	Decryption *saml.Decryption

	// Domains (domains, optional) are the e-mail domains of its people. Of
	// several IdPs, a person chooses one by name, or gives an e-mail address.
	Domains []string

	// PostRequests (binding: redirect or post, default redirect) is how
	// sign-in requests get to the IdP.
	PostRequests bool

	// AuthnContext (authn_context, optional) are ways to authenticate, such as
	// https://refeds.org/profile/mfa. One of them is asked for, and an answer
	// that names none of them is refused.
	AuthnContext []string

	// Email, FirstName and LastName (attributes: email, first_name,
	// last_name; optional) are names of SAML attributes; of several, the
	// first that is there counts. Left out, the usual names are tried.
	Email     []string
	FirstName []string
	LastName  []string
}

// STS is one token service with the call AssumeRoleWithSAML.
type STS struct {
	// Name (name, required) is what buckets call it.
	Name string

	// Region (region, required) is the region whose endpoint is called.
	Region string

	// Endpoint (endpoint, optional) is the address of a service other than
	// AWS's: https, http on loopback. Empty means AWS's regional endpoint.
	Endpoint string

	// Duration (duration, default 1h, 15m to 12h) is how long credentials are
	// asked for. STS refuses more than a role's MaxSessionDuration.
	Duration time.Duration
}

// Bucket is one bucket: its address, and how its objects are encrypted.
type Bucket struct {
	// Bucket is the address. Name (name, required), Region (region,
	// required) and STS (sts, required: the token service whose credentials
	// sign for it) are written out; Scheme and Host follow from the endpoint.
	presign.Bucket

	// Endpoint (endpoint, optional) is the address of an S3 server other than
	// AWS's: https, http on loopback. Empty means AWS's own for the region.
	Endpoint string

	// KMS (kms, default false) says that objects are encrypted with SSE-KMS,
	// so that reading them needs kms:Decrypt.
	KMS bool
}

// Mode is what becomes of decisions.
type Mode string

const (
	// Enforce does what was decided.
	Enforce Mode = "enforce"
	// Shadow only says what would have been decided.
	Shadow Mode = "shadow"
)

// Confirm is what Label Studio is asked before a location is signed.
type Confirm string

const (
	// ConfirmURI asks, as the person, whether the task is theirs and whether
	// the object is a value in it.
	ConfirmURI Confirm = "uri"
	// ConfirmPermission asks only whether the task is theirs.
	ConfirmPermission Confirm = "permission"
	// ConfirmNone asks nothing.
	ConfirmNone Confirm = "none"
)

// SignIn is how people get into Label Studio.
type SignIn string

const (
	// SignInBearer writes bearers of five minutes, as Label Studio would,
	// with its SECRET_KEY.
	SignInBearer SignIn = "bearer"
	// SignInToken shares no key: each person's own personal access token is
	// taken at the login, and changed into bearers. A person has one such
	// token, so one that they had made for themselves is revoked.
	SignInToken SignIn = "token"
	// SignInOwn leaves Label Studio its own login, beside Rolepass's: an
	// object shows once Label Studio, asked with the browser's own session
	// cookie, names the person of the assertion, by e-mail address.
	SignInOwn SignIn = "own"
	// SignInObserve is for a Label Studio that is itself the SAML service
	// provider (Enterprise): Rolepass reads the assertion on its way there.
	// An object shows once Label Studio names the assertion's person.
	SignInObserve SignIn = "observe"
)

// Adopt is which accounts of Label Studio that somebody else made become a
// person's.
type Adopt string

const (
	// AdoptNone adopts none: an account under a person's address that Rolepass
	// did not make for them is refused.
	AdoptNone Adopt = "none"
	// AdoptEmail adopts the account under the person's address at their first
	// sign-in, unless it is another person's, an owner's or an administrator's.
	AdoptEmail Adopt = "email"
)

// APIClients is what becomes of programs with a token of Label Studio's own.
type APIClients string

const (
	// APIClientsRefuse refuses them like everybody who has no session.
	APIClientsRefuse APIClients = "refuse"
	// APIClientsPass passes them to Label Studio's API.
	APIClientsPass APIClients = "pass"
)

// Accounts says that Rolepass signs people into accounts of its own making.
func (s SignIn) Accounts() bool { return s != SignInOwn && s != SignInObserve }

// ObservedACS is a consumer service of the application's own.
type ObservedACS struct {
	// Path (path, required) is the exact path to which the IdP posts.
	// PublicURL and it together are the Recipient of the assertions, and
	// SAML:aud in each role's trust policy.
	Path string
	// IdP (idp, required) is the name of the one that posts there.
	IdP string
	// Organization (organization, optional) is Label Studio's number of the
	// organization whose login it is.
	Organization int64
}

// LabelStudio is the application behind Envoy.
type LabelStudio struct {
	// URL (url, required) is where Envoy and Rolepass reach it: http or
	// https, a host, no path.
	URL *url.URL

	// Path (path, optional) is the path of public_url below which it stands,
	// such as /label; then its LABEL_STUDIO_HOST is public_url with this path.
	// Requests reach it without the path, as it wants them.
	Path string

	// CA (ca, optional, with https only) is a file with the authorities (PEM)
	// that its certificate is verified against, by Envoy and by Rolepass, where
	// they are not those of the machine and of envoy.ca.
	CA string

	// Proxy (proxy, optional) is the HTTP proxy through which Rolepass asks
	// Label Studio; without it Rolepass asks directly, whatever the environment
	// says. What browsers send goes from Envoy to url, not through it.
	Proxy *url.URL

	// SignIn (sign_in, default bearer) is how people get in.
	SignIn SignIn

	// SecretKeyFile (secret_key_file, required with bearer) holds Label
	// Studio's SECRET_KEY, which its bearers are signed with. Others than its
	// owner and group may not read it.
	SecretKeyFile string

	// OwnerTokenFile (owner_token_file, required with token) holds a personal
	// access token of the user OwnerID. Others than its owner and group may
	// not read it.
	OwnerTokenFile string

	// ACS (acs, required with observe) are Label Studio's own consumer
	// services.
	ACS []ObservedACS

	// OwnerID (owner_id, required with bearer and token, and with workloads) is
	// the number of the Label Studio user as whom new people are invited: the
	// organization's owner, often 1. No workload may have that user's token.
	OwnerID int64

	// Adopt (adopt, default none; email with bearer only) says whether people
	// get accounts that are there under their address. The IdP is then trusted
	// to say whose an address is; where there are several IdPs, each for the
	// addresses of its domains.
	Adopt Adopt

	// Confirm (confirm, default uri) is what Label Studio is asked before
	// a location is signed: uri, permission or none.
	Confirm Confirm

	// Administrators (administrators, optional) are ARNs of granted roles.
	// Who has one of them may do in Label Studio what it does under its own
	// S3 key, or with an address that a member names: change storages, export
	// with media, import by address, set up webhooks, connect models, open
	// Django's administration. Everybody else is refused that.
	Administrators []string

	// APIClients (api_clients, default refuse) is what becomes of programs that
	// have a token of Label Studio's own and no session: refuse, or pass, which
	// opens Label Studio's API to them, and neither objects nor what is for
	// Administrators.
	APIClients APIClients

	// SessionCookie (session_cookie, default sessionid) is the name of its
	// session cookie, which the browser's requests lose on their way; with
	// own and observe they keep it.
	SessionCookie string
}

// Application is an application other than Label Studio, behind Envoy. It is
// asked nothing and told nobody: who is signed in and has a role may read what
// the role is granted, and the application's pages are for all who are.
type Application struct {
	// URL (url, required) is where Envoy reaches it: http or https, a host, no
	// path.
	URL *url.URL

	// Fetches (fetches, at least one) are the paths that are objects, each with
	// path, such as '/files/{key...}', and object, such as 's3://imaging/{key}'.
	// A variable is one segment of the path, or with dots all that are left.
	Fetches []application.Fetch

	// LocationHeader (location_header, default x-rolepass-location) is the
	// request header with the signed location, where delivery is header. A
	// client's own never arrives.
	LocationHeader string
}

// AppURL is where Envoy reaches the application, whichever it is.
func (c *Config) AppURL() *url.URL {
	if c.Application != nil {
		return c.Application.URL
	}
	return c.LabelStudio.URL
}

// Session is the life of a login.
type Session struct {
	// Idle (idle, default 30m, 1m to 24h) ends a login that long after its
	// last use.
	Idle time.Duration
	// Absolute (absolute, default 8h, 5m to 24h) ends it that long after it
	// began. It is not below Idle.
	Absolute time.Duration
	// PerPerson (per_person, default 20, 1 to 1000) is how many logins one
	// person may have at a time; one more ends the oldest. As many may begin
	// within five minutes, and 30 in any case.
	PerPerson int
}

// StateKind is where sessions and credentials are kept.
type StateKind string

// The kinds of state.
const (
	StateMemory StateKind = "memory"
	StateValkey StateKind = "valkey"
)

// State is where sessions and credentials are kept.
type State struct {
	// Kind (kind, default memory) is memory (one Rolepass alone, and a restart
	// ends every login) or valkey: a Valkey or Redis server that all replicas
	// share, and that gets everything sealed (docs/state.md).
	Kind StateKind
	// MiB (mib, default 512, 16 to 65536) is how many mebibytes the sealed
	// records may take; with valkey, what this replica keeps opened of them. The
	// whole process stays below that, three eighths more and 128. When memory is
	// full, who was not seen for long signs in again.
	MiB int
	// Valkey is the server, with kind valkey only.
	Valkey Valkey
}

// Valkey is a Valkey or Redis server, and who we are to it.
type Valkey struct {
	// Network and Address (address, required) are as net.Dial has them: tcp
	// and HOST:PORT, or unix and a path. Written as rediss://HOST:PORT/DB
	// (port 6379 and database 0, if left out), redis:// on loopback only, or
	// unix:///PATH?db=DB.
	Network, Address string
	// DB is the number of the database.
	DB int
	// TLS says that the address is rediss.
	TLS bool
	// CAFile (ca_file, with rediss only) holds the authorities (PEM) that the
	// server's certificate is verified against, where they are not those of
	// the machine. It is read at load.
	CAFile string
	// Roots is what CAFile holds; nil: those of the machine.
	Roots *x509.CertPool
	// User (user, optional; needs PasswordFile) is a user of the server's ACL.
	// Without one, a password is that of the user "default".
	User string
	// PasswordFile (password_file, optional) holds the password. It is read at
	// load.
	PasswordFile string
	// Password is what PasswordFile holds.
	Password presign.Secret
	// Prefix (prefix, default "rolepass:") begins every key: 1 to 32 of A-Z,
	// a-z, 0-9 and _.-: with a colon at the end.
	Prefix string
}

// Presign is about signed locations.
type Presign struct {
	// Expires (expires, default 60s, 15s to 1h) is how long one is good for,
	// and so how long a download may take to begin.
	Expires time.Duration
	// ByHeader (by: header; default query) signs what Envoy sends to S3 by
	// headers: a session token of two kilobytes then stays out of the path.
	// Envoy's bootstrap depends on it. Locations for browsers and applications
	// are always signed by query.
	ByHeader bool
}

// Record is what is kept of decisions, to hold another configuration against.
type Record struct {
	// File (file, required) is the file that they are appended to.
	File string
	// Keys (keys, default false) keeps whole object keys. Without them only
	// the prefixes of grants are kept, and a replay cannot tell what a longer
	// prefix would match.
	Keys bool
}

// Traces is where spans of decisions are sent, and of how many. A collector
// that does not answer costs spans, and no decision.
type Traces struct {
	// Endpoint (endpoint, required) is a collector that takes OTLP over gRPC:
	// https or http, a host, and a port if it is not 4317. Nil: there is none.
	Endpoint *url.URL
	// CA (ca, with https only) is a file with the authorities (PEM) that its
	// certificate is verified against, where they are not those of the machine.
	CA string
	// Certificate and PrivateKey (certificate, private_key; optional) are PEM
	// files: Rolepass's own, for a collector that wants to know who sends.
	Certificate string
	PrivateKey  string
	// Ratio (ratio, default 0.01, 0 to 1) is how many decisions have a trace.
	Ratio float64
	// FollowEnvoy (parent: ignore or envoy, default ignore) takes the trace of
	// Envoy's own span, and its choice whether there is one, in place of Ratio,
	// where Envoy traces. What browsers send of traces never counts.
	FollowEnvoy bool
}

// Envoy is what Envoy's bootstrap needs beyond the rest. The files are
// Envoy's own, on its machine: their existence is not checked.
type Envoy struct {
	// Listen (listen, IP:PORT) is where browsers connect. The default is
	// 0.0.0.0:8443, and for a loopback PublicURL its own host and port.
	Listen string
	// Admin (admin, default 127.0.0.1:9901) is Envoy's administration
	// address, IP:PORT on loopback: whoever reaches it controls Envoy.
	Admin string
	// Certificate and PrivateKey (certificate, private_key) are PEM files,
	// required when PublicURL is https.
	Certificate string
	PrivateKey  string
	// AccessLog (access_log, default /dev/stdout) is a file.
	AccessLog string
	// CA (ca, default /etc/ssl/certs/ca-certificates.crt) holds the
	// authorities (PEM) that S3 and the application are verified against.
	CA string
	// DynamicForwardProxy (dynamic_forward_proxy, default false) reaches all
	// S3 servers by one cluster, where buckets are on many: each still has a
	// route of its own, and Envoy connects to no other.
	DynamicForwardProxy bool
	// TrustedHops (trusted_hops, 1 to 8; default: none) is how many proxies in front
	// of Envoy are believed about where a request came from (X-Forwarded-For),
	// such as a load balancer that ends TLS. Only they may reach Listen.
	TrustedHops int
	// CheckAddress (check_address, IP or name, and port; default: Listen) is
	// where Envoy reaches Rolepass beyond its own machine.
	CheckAddress string
	// CheckCertificate, CheckPrivateKey and CheckCA (check_certificate,
	// check_private_key, check_ca; required with CheckTLS) are PEM files:
	// Envoy's own certificate, its key, and the authorities of Rolepass's.
	CheckCertificate string
	CheckPrivateKey  string
	CheckCA          string
}

// Needs says for what a configuration is read. Sections that are not needed
// may be absent; those that are there are read as strictly as ever.
type Needs int

const (
	// Everything is for serving and validating: all sections, and the files
	// that they name.
	Everything Needs = iota
	// ForEnvoy is for writing Envoy's bootstrap: all sections and no file
	// beside the configuration, since it may run on another machine.
	ForEnvoy
	// ForMesh is as ForEnvoy, where the mesh's gateway has the certificate of
	// public_url.
	ForMesh
	// ForAssertion is for looking at an assertion: public_url and idps, of
	// which providers may be left out, and metadata files.
	ForAssertion
	// ForPresign is for signing one location: public_url and buckets, of
	// which sts may be left out.
	ForPresign
	// ForReplay is for deciding again what was recorded: all sections, no file
	// beside the configuration, and nothing of Envoy's machine.
	ForReplay
)

// anEnvoy says that a configuration of Envoy's is to be written.
func (n Needs) anEnvoy() bool { return n == ForEnvoy || n == ForMesh }

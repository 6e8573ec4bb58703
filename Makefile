# What there is to run; make without a target prints it. Everything that is
# fetched or built goes to .cache here, or to what ROLEPASS_CACHE names, and nothing
# here touches the system's packages.

# Without ST1005: our errors are sentences, and some begin with a name.
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2 -checks inherit,-ST1005

ROLEPASS_CACHE ?= $(CURDIR)/.cache
export ROLEPASS_CACHE

# Where the installed parts are, for the programs that run them.
ENVIRONMENT = set -a && . "$$ROLEPASS_CACHE/env" && set +a

# A test of these drives a browser and other programs: see docs/decisions/0043.
TESTRUN = go run ./e2e/testrun -alone github.com/rolepass/rolepass/e2e,github.com/rolepass/rolepass/e2e/idps

.PHONY: help demo demo-stop test test-idps test-chart test-release release fuzz bench bench-envoy bench-peers tools clean go images-offline e2e-compose e2e-istio e2e-envoy-gateway

help:
	@echo "make demo       install what is missing, start everything, print an address"
	@echo "                (DEMO_ARGS=-detach returns when it is ready)"
	@echo "make demo-stop  stop a demo that was started with -detach"
	@echo "make test       run all tests, with Envoy, Label Studio, S3 and a browser"
	@echo "make test-idps  sign in at Keycloak and SimpleSAMLphp as well (some minutes)"
	@echo "make test-chart hold the Helm chart against helm, Kubernetes and Rolepass"
	@echo "make release    build HEAD twice, compare, and pack it (bin/release)"
	@echo "make test-release   look into what make release makes"
	@echo "make fuzz       run every fuzz target for 10 s (FUZZ_TIME=60s for longer)"
	@echo "make bench      run the benchmarks"
	@echo "make bench-peers      beside OPA, in the same rounds"
	@echo "make bench-envoy      the same through Envoy, beside its own signing"
	@echo "make tools      only install what the demo and the tests run"
	@echo "make e2e-compose      the same stories in Docker, see docs/attach-compose.md"
	@echo "make e2e-istio        the same stories through an Istio ingress gateway"
	@echo "make e2e-envoy-gateway    the same through a Gateway of Envoy Gateway"
	@echo "make images-offline   make the images of others here, where none can be pulled"
	@echo "make clean      remove everything that make fetched, built or wrote"

# The first look: whether there is a Go that can run the second one.
go:
	@sh e2e/install/go.sh

# The demo replaces the shell, so that Ctrl-C and the exit status are its own.
demo: tools
	@mkdir -p bin
	@go build -o bin/demo ./e2e/demo
	@$(ENVIRONMENT) && exec bin/demo $(DEMO_ARGS)

demo-stop: go
	@go run ./e2e/demo -stop

tools: go
	@go run ./e2e/install

test: go
	@go run ./e2e/install -tests
	@test -z "$$(gofmt -l */)" || { echo "These files are not as gofmt writes them:"; gofmt -l */; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	@$(ENVIRONMENT) && $(TESTRUN) -events e2e/artefacts/test.json -- -race -count=1 -p 2 -timeout 40m ./...

# Identity providers of others. Keycloak is fetched with Maven; SimpleSAMLphp is
# the system's.
test-idps: go
	@go run ./e2e/install -idps
	go vet -tags idps ./e2e/idps
	@$(ENVIRONMENT) && $(TESTRUN) -progress -events e2e/artefacts/idps.json -- -tags idps -race -count=1 -timeout 20m ./e2e/idps

# A module of its own: what helm requires is nothing of Rolepass's. The first
# time helm is built, which takes some minutes.
test-chart: go
	cd e2e/chart && test -z "$$(gofmt -l .)" && go mod tidy -diff && go vet . && go test -count=1 -timeout 20m .

# Building offline, the release needs what only its manual is written by.
release: go
	@go vet -tags man ./cmd/rolepass
	@go run ./deploy/release -out bin/release

test-release: go
	go vet -tags man ./cmd/rolepass
	go vet -tags release ./deploy/release
	go test -tags release -count=1 -timeout 20m ./deploy/release

FUZZ_TIME ?= 10s

fuzz: tools
	@$(ENVIRONMENT) && go run ./e2e/fuzz -each $(FUZZ_TIME)

bench: go
	go test -run '^$$' -bench . -benchmem $$(go list ./... | grep -v /e2e)
	go run ./e2e/bench -plot docs/images/decision-cost.svg
	go run ./e2e/bench -rounds 10 -each 2s -conns 1 -rate 300
	go run ./e2e/bench -rounds 5 -each 2s -half
	go run ./e2e/bench -rounds 5 -each 2s -set growth

# Beside what others use to authorize; a module of its own.
bench-peers: go
	cd e2e/peers && test -z "$$(gofmt -l .)" && go mod tidy -diff && go vet . && go test -count=1 . && go build -o ../../bin/peers .
	go run ./e2e/bench -set peers -peers bin/peers $(BENCH_ARGS)

# Through real Envoy, beside its own signing and beside nothing.
bench-envoy: tools
	@$(ENVIRONMENT) && go run ./e2e/bench -set envoy

# Images of others are pulled, or were made by images-offline.
COMPOSE = docker compose -f e2e/docker-compose.yml

# The stories that need nothing but the addresses of a stack: those that start
# parts of it anew with another configuration are told natively only.
STORIES = TestThePicturesShowForWhomTheyAreMeant|TestSignInAndFetchOnePicture|TestEveryObjectForEveryAccount|TestPartsOfAnObjectAndWhatABrowserKeeps|$\
TestWhatStandsInNoTaskIsRefused|TestASessionIsNeeded|TestOddSpellingsOfAFetchAreRefused|TestS3SeesThePersonsRoleAndNothingElse|$\
TestLabelStudioSeesOnlyThePersonsBearer|TestSTSIsAskedAtTheLoginOnly|TestAPageOfThirtyIsOneQuestion|TestSigningOut|TestSigningInAgainIsSilent|$\
TestAResponseWorksOnceAndForOneBrowserOnly|TestWithoutRolepassEverythingIsRefused|TestNothingSecretIsWrittenDown|TestLabelStudioSawNoDataFetch

images-offline: tools
	@$(ENVIRONMENT) && e2e/compose/engine.sh e2e/compose/images-offline.sh

e2e-compose: go
	@go run ./e2e/install -tests
	@echo "building our images"
	@$(COMPOSE) build --quiet
	@$(ENVIRONMENT) && ROLEPASS_STACK=compose $(TESTRUN) -progress -events e2e/artefacts/compose.json -- -count=1 -timeout 25m -run '^($(STORIES))$$' ./e2e

# What istiod renders, and what becomes of it without the filter.
MESHED = TestTheGatewayRunsWhatWasGenerated|TestWithoutTheFilterTheGatewayServesNothing|TestATypoInTheFilterIsFound|TestAGatewayWithTLS|$\
TestWhatIstiosOwnResourcesLeaveOpen|TestATypoInAMendOpensTheHoleAgain|TestAPortWithAnotherNameRefusesEverything|TestLintNamesWhatIstiosOwnResourcesLeaveOpen|TestAttachingIstioAsTheDocumentSays

# istiod's generators are a Go module of its own: the first build takes minutes.
e2e-istio: go
	@go run ./e2e/install -tests
	@echo "building istiod's generators"
	cd e2e/istio && test -z "$$(gofmt -l .)" && go mod tidy -diff && go build -o "$(CURDIR)/bin/meshd" ./meshd
	go vet -tags mesh ./e2e
	@$(ENVIRONMENT) && ROLEPASS_MESH="$(CURDIR)/bin/meshd" $(TESTRUN) -progress -events e2e/artefacts/istio.json -- -tags mesh -count=1 -timeout 25m -run '^($(STORIES)|$(MESHED))$$' ./e2e

# What Envoy Gateway renders, and what becomes of it without the policy.
GATEWAYED = TestEnvoyGatewayRunsWhatWasGenerated|TestWithoutThePolicyTheGatewayServesNothing|TestAGatewayThatTakesRoutesWouldBeOpen|$\
TestATypoInAClusterClosesTheGateway|TestAnEnvoyGatewayWithTLS|TestTheEnvoyOfEnvoyGatewaysOwnImage|TestPoliciesSwitchedOffCloseTheGateway|TestWhatEnvoyGatewaysOwnResourcesLeaveOpen|TestAttachingEnvoyGatewayAsTheDocumentSays|$\
TestASignedPathIsLeakedByEnvoyGatewaysOwnResources

# Envoy Gateway is a Go module of its own: the first build takes many minutes.
e2e-envoy-gateway: go
	@go run ./e2e/install -tests
	@echo "building Envoy Gateway"
	cd e2e/envoygateway && go mod tidy -diff && go build -o "$(CURDIR)/bin/envoy-gateway" github.com/envoyproxy/gateway/cmd/envoy-gateway
	go vet -tags gateway ./e2e
	@$(ENVIRONMENT) && ROLEPASS_ENVOY_GATEWAY="$(CURDIR)/bin/envoy-gateway" $(TESTRUN) -progress -events e2e/artefacts/envoy-gateway.json -- -tags gateway -count=1 -timeout 25m -run '^($(STORIES)|$(GATEWAYED))$$' ./e2e

clean:
	rm -rf "$(CURDIR)/.cache" bin e2e/.run e2e/artefacts

# Rolepass's images, each one static program on nothing:
#
#	docker build --target rolepass -t rolepass/rolepass .
#	docker build --target samlsts  -t rolepass/samlsts  .
#
# There is no shell, no package and no account in them. They run as a user
# without a name, need no capability, and write to nothing but what is mounted;
# certificates of authorities are mounted, too (SSL_CERT_FILE).

FROM golang:1.26-bookworm AS source
WORKDIR /source
ENV CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOTOOLCHAIN=local
COPY go.mod go.sum ./
RUN go mod download
COPY . .

FROM source AS build
RUN go build -trimpath -ldflags="-s -w" -o /programs/ ./cmd/rolepass ./cmd/samlsts

FROM scratch AS samlsts
COPY --from=build /programs/samlsts /samlsts
USER 65532:65532
ENTRYPOINT ["/samlsts"]

FROM scratch AS rolepass
COPY --from=build /programs/rolepass /rolepass
USER 65532:65532
ENTRYPOINT ["/rolepass"]
CMD ["serve", "--config", "/etc/rolepass/rolepass.yaml"]

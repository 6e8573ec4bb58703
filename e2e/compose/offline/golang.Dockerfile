FROM debian:bookworm-slim
COPY go /usr/local/go
COPY caches /go
ARG GOPROXY
ENV PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin GOPATH=/go GOCACHE=/go/cache GOPROXY=$GOPROXY
WORKDIR /go

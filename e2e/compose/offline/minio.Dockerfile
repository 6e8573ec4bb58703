FROM debian:bookworm-slim
COPY minio /usr/bin/minio
VOLUME ["/data"]
ENTRYPOINT ["/usr/bin/minio"]

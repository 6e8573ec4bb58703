FROM debian:bookworm-slim
COPY envoy /usr/local/bin/envoy
RUN useradd --uid 101 --user-group envoy
CMD ["envoy", "-c", "/etc/envoy/envoy.yaml"]

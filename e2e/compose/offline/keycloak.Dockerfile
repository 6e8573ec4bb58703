FROM debian:bookworm-slim
RUN apt-get update -q && apt-get install -q -y --no-install-recommends openjdk-17-jre-headless && rm -rf /var/lib/apt/lists/*
COPY keycloak /opt/keycloak
RUN useradd --uid 1000 --gid 0 keycloak && mkdir -p /opt/keycloak/data/import && chown -R 1000:0 /opt/keycloak && chmod +x /opt/keycloak/bin/kc.sh
USER 1000
EXPOSE 8080 8443 9000
ENTRYPOINT ["/opt/keycloak/bin/kc.sh"]

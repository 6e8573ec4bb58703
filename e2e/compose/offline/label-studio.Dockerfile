FROM debian:bookworm-slim
RUN apt-get update -q && apt-get install -q -y --no-install-recommends python3 curl && rm -rf /var/lib/apt/lists/*
COPY python /opt/python
COPY site-packages /opt/label-studio
ENV PYTHONPATH=/opt/label-studio LABEL_STUDIO_BASE_DATA_DIR=/label-studio/data HOME=/label-studio
RUN printf '#!/bin/sh\nLD_LIBRARY_PATH=/opt/python/lib exec /opt/python/bin/python3 -c "from label_studio.server import main; main()" "$@"\n' >/usr/local/bin/label-studio && chmod +x /usr/local/bin/label-studio && \
    mkdir -p /label-studio/data && chown -R 1001:0 /label-studio
WORKDIR /label-studio
USER 1001
CMD ["label-studio"]

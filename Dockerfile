# One image for engine, reporter, clearing and the house traders; the command says which: docker run IMAGE reporter.
# tools: what builds → native: the matcher in Rust → environment: everything Python → the image that runs.
# Nothing here needs BuildKit. Versions: requirements/*.txt and native/Cargo.lock, with their hashes.

FROM python:3.11-slim AS tools
COPY requirements/build.txt /src/
RUN python -m venv /opt/tools \
    && /opt/tools/bin/pip install --no-cache-dir --quiet --require-hashes -r /src/build.txt

FROM rust:1.95-slim-bookworm AS native
COPY --from=tools /opt/tools/bin/maturin /usr/local/bin/maturin
COPY native /src/native
RUN cd /src/native && maturin build --quiet --release --locked --manifest-path python/Cargo.toml --out /wheels

FROM tools AS environment
COPY requirements/services.txt /src/
RUN python -m venv /opt/exchange \
    && /opt/exchange/bin/pip install --no-cache-dir --quiet --require-hashes -r /src/services.txt
COPY --from=native /wheels /wheels
RUN /opt/exchange/bin/pip install --no-cache-dir --quiet --no-deps /wheels/exchange_native-*.whl
WORKDIR /src
COPY pyproject.toml hatch_build.py README.md LICENSE NOTICE ./
COPY src ./src
RUN /opt/tools/bin/hatchling build --target wheel --directory /wheels \
    && /opt/exchange/bin/pip install --no-cache-dir --quiet --no-deps /wheels/stock_exchange-*.whl

FROM python:3.11-slim
LABEL org.opencontainers.image.title="stock-exchange" org.opencontainers.image.licenses="Apache-2.0"
# A new volume takes the owner of the folder below it, so the user can write there and nowhere else.
RUN groupadd --gid 10001 exchange \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin exchange \
    && install -d -o exchange -g exchange -m 0700 /data /data/engine \
    && install -d /etc/exchange
COPY --from=environment /opt/exchange /opt/exchange
COPY deploy/docker/ready.py /usr/local/lib/exchange/ready.py
ENV PATH=/opt/exchange/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    EXCHANGE__EXCHANGE__DATA=/data \
    EXCHANGE__EXCHANGE__HOST=0.0.0.0
# An exchange.toml that is mounted here is found.
WORKDIR /etc/exchange
USER 10001:10001
EXPOSE 8001 8002 8003
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=3s --timeout=5s --retries=10 --start-period=60s \
    CMD ["python", "-I", "-S", "/usr/local/lib/exchange/ready.py"]
ENTRYPOINT ["exchange"]
CMD ["engine"]

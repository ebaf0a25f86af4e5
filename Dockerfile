# Alertmill in a container: one binary, one volume.
#   docker build -t alertmill .
#   docker run -p 8080:8080 -v alertmill:/data alertmill
FROM rust:1-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --home /data --shell /usr/sbin/nologin alertmill \
    && install -d -o alertmill -g alertmill -m 0700 /data
COPY --from=build /src/target/release/alertmill /usr/local/bin/alertmill
USER alertmill
VOLUME /data
EXPOSE 8080
ENV ALERTMILL_DATA=/data
ENTRYPOINT ["alertmill"]
CMD ["serve", "--listen", "0.0.0.0:8080"]

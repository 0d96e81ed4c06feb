# The server as an image. Its data (SQLite, media) are in /data; it listens on port 4000.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --locked --release --package parlance-server && cp target/release/parlance /parlance

FROM debian:bookworm-slim
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home parlance && install --directory --owner parlance /data
COPY --from=build /parlance /usr/local/bin/parlance
USER parlance
ENV DATA_DIR=/data
VOLUME /data
EXPOSE 4000
ENTRYPOINT ["parlance"]
CMD ["serve"]

# The server as an image without anything else: the binary, the libraries that it loads, certificates of authorities. It
# runs as a user without rights. Its data (SQLite, media) are in /data; it listens on port 4000.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --locked --release --package parlance-server && packaging/image-root.sh target/release/parlance /image
RUN install --directory /data

FROM scratch
COPY --from=build /image /
# Not a part of the first: what is there already keeps its owner, who would be root.
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
ENV DATA_DIR=/data
VOLUME /data
EXPOSE 4000
# The database may be away for a moment without the process being of no use: three answers in a row.
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["/usr/bin/parlance", "health"]
ENTRYPOINT ["/usr/bin/parlance"]
CMD ["serve"]

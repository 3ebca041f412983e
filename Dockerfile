# docker build -t keyturn .
# How the image is run, what it may read and write, and how to extend it: docs/container.md.

# Nothing in it depends on the processor: no package of ours has native code.
FROM node:24-trixie-slim AS build
WORKDIR /app
# The lock file alone decides this layer. No install scripts: the one that is wanted in a checkout
# brings Node itself, which the image has.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json rolldown.config.ts ./
COPY config/build config/build
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund && chmod 755 dist/cli.js dist/container.js
COPY LICENSE rotation.yaml ./
COPY config config
# The final image has no shell to do this in. What is its user's, apart from what is not.
RUN mkdir -p /image/app /image/etc/keyturn /image/usr/local/bin /own \
    && mv package.json LICENSE rotation.yaml config node_modules dist /image/app/ \
    && ln -s /app/dist/container.js /image/usr/local/bin/rotate \
    && ln -s rotate /image/usr/local/bin/keyturn \
    && mkdir -m 750 /own/data

# Node and what it needs, no shell and no package manager.
FROM gcr.io/distroless/nodejs24-debian13:nonroot
ARG VERSION=development
LABEL org.opencontainers.image.title="keyturn" \
      org.opencontainers.image.description="Rotates LLM-router API keys with zero downtime" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}"
# Policy and memory apart: one is mounted read-only, the other must outlive the container. A policy
# that reads the store's and the journal's variable, as the shipped one does, needs no paths of its
# own. The server is on unless the policy says something else.
ENV NODE_ENV=production \
    HOME=/data \
    KEYTURN_POLICY=/etc/keyturn/rotation.yaml \
    KEYTURN_STORE=/data/secrets \
    KEYTURN_JOURNAL=/data/journal.db \
    KEYTURN_SERVER=0.0.0.0:8080
COPY --from=build /image /
COPY --from=build --chown=1000:1000 /own /
# By number, so that Kubernetes can see that it is not root.
USER 1000:1000
WORKDIR /data
# A local disk: the journal refuses a network file system.
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["/usr/local/bin/rotate", "health"]
# Node is PID 1 and takes SIGTERM itself: the worker finishes the step in hand and exits with 0.
ENTRYPOINT ["/usr/local/bin/rotate"]
CMD ["worker"]

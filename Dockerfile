# docker build -t keyturn .
# docker run --init -v ./rotation.yaml:/etc/keyturn/rotation.yaml:ro -v keyturn:/data -e OPENROUTER_MANAGEMENT_KEY keyturn

FROM node:24-bookworm-slim AS build
WORKDIR /app
# The lock file alone decides this layer. No install scripts: the one that is wanted in a checkout
# brings Node itself, which the image has.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts && chmod 755 dist/cli.js

# Slim, and not distroless: operators type `docker exec keyturn rotate status`, and exec probes and
# reloads start programs of their own. For those, build FROM this image and add them.
FROM node:24-bookworm-slim
# Policy and memory apart: one is mounted read-only, the other must outlive the container. A policy
# that reads these two variables, as the shipped one does, needs no paths of its own.
ENV NODE_ENV=production \
    KEYTURN_POLICY=/etc/keyturn/rotation.yaml \
    KEYTURN_STORE=/data/secrets \
    KEYTURN_JOURNAL=/data/journal.db
WORKDIR /app
COPY package.json LICENSE rotation.yaml ./
COPY config config
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
RUN ln -s /app/dist/cli.js /usr/local/bin/rotate && install -d -m 750 -o 1000 -g 1000 /data
# By number, so that Kubernetes can see that it is not root.
USER 1000:1000
WORKDIR /data
# A local disk: the journal refuses a network file system.
VOLUME /data
# Node is PID 1 and takes SIGTERM itself: the worker finishes the step in hand and exits with 0.
ENTRYPOINT ["rotate"]
CMD ["worker"]

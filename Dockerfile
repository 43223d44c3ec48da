# syntax=docker/dockerfile:1
# Builds the image of every node. scripts/build-app-image.ts decides what it holds, and makes the same folder without
# Docker (npm run image); e2e/cluster/image.spec.ts runs that folder.

# Keep in step with NODE_VERSION in scripts/tasks/node-version.mjs and with the LiteFS that the tests build.
ARG NODE_VERSION=24.21.0
ARG LITEFS_VERSION=0.5.14

FROM flyio/litefs:${LITEFS_VERSION} AS litefs

FROM node:${NODE_VERSION}-bookworm-slim AS deps
WORKDIR /build
COPY package.json package-lock.json ./
COPY scripts scripts
COPY server/*.mjs server/
RUN --mount=type=cache,target=/root/.npm node scripts/cli.mjs packages

FROM deps AS build
COPY . .
# The same on all machines: a server action may be replayed to any of them. The key must outlive deploys.
ARG DEPLOYMENT_ID
ENV DEPLOYMENT_ID=${DEPLOYMENT_ID}
RUN --mount=type=secret,id=NEXT_SERVER_ACTIONS_ENCRYPTION_KEY,env=NEXT_SERVER_ACTIONS_ENCRYPTION_KEY,required=true \
    node scripts/cli.mjs image --out /image

FROM node:${NODE_VERSION}-bookworm-slim AS run
# The fonts draw titles that are not Latin on social images (10 MB: Cyrillic, Greek, Arabic, Hebrew, Chinese, Japanese,
# Korean, symbols). Debian serves only its newest versions, so they can't be pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates ffmpeg fonts-dejavu-core fonts-droid-fallback fuse3 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=litefs /usr/local/bin/litefs /usr/local/bin/litefs
COPY --from=build /image /app
WORKDIR /app
ARG DEPLOYMENT_ID
ENV NODE_ENV=production \
    DEPLOYMENT_ID=${DEPLOYMENT_ID} \
    HOST=:: \
    PORT=8080 \
    DATA_DIR=/data \
    FLY_LITEFS_DIR=/litefs \
    LITEFS_DATA_DIR=/data/litefs \
    APP_UID=1000 \
    APP_GID=1000
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((response) => process.exit(response.ok ? 0 : 1), () => process.exit(1))"]
# As root, since LiteFS mounts. The site runs as APP_UID (the user "node"). The container needs an init process that
# reaps zombies: Fly has one, and compose.yaml sets "init". With docker run, pass --init.
ENTRYPOINT ["node", "server/supervisor/main.ts"]

# test/house/image.slow.test.ts runs these steps as they stand here, without Docker.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build

# Debian, not Alpine: the embedded PostgreSQL, for those without DATABASE_URL, needs glibc.
FROM node:24-slim
WORKDIR /app
ENV NODE_ENV=production
ENV DATA_DIR=/app/data
# npm hands `docker stop` to its shell; bash becomes the server, where sh would keep the signal to itself.
ENV NPM_CONFIG_SCRIPT_SHELL=bash
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev
COPY bin ./bin
COPY connectors ./connectors
COPY migrations ./migrations
COPY --from=build /app/dist ./dist
RUN mkdir data && chown 1000:1000 data
VOLUME /app/data
# "node" of the base image.
USER 1000:1000
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/health').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["npm", "run", "start:orchestrator"]

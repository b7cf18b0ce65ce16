import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { makeConfig } from '../../src/config/config.ts';
import { VARIABLE_NAMES } from '../../src/config/variables.ts';

interface Compose {
  services: Record<string, { environment?: Record<string, string>; healthcheck?: object; depends_on?: object }>;
}

const { services } = parse(readFileSync('compose.yaml', 'utf8')) as Compose;
const { environment = {} } = services.app!;

test('compose.yaml sets only variables that there are', () => {
  expect(Object.keys(environment).filter((name) => !(VARIABLE_NAMES as readonly string[]).includes(name))).toEqual([]);
});

test('no secret has a default, and a missing one is asked for by name', () => {
  for (const name of ['ENCRYPTION_SECRET', 'JWT_SECRET', 'API_KEY'])
    expect(environment[name]).toMatch(new RegExp(`^\\$\\{${name}:\\?set ${name} to `));
  expect(environment.DATABASE_URL).toContain('${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD');
});

test('with the secrets given, the server takes what it is handed', () => {
  const given: Record<string, string> = {
    POSTGRES_PASSWORD: 'a1b2c3',
    ENCRYPTION_SECRET: 'e'.repeat(64),
    JWT_SECRET: 'j'.repeat(64),
    API_KEY: 'k'.repeat(64),
  };
  // As compose does: ${NAME:-default} and ${NAME:?message}.
  const filled = Object.entries(environment).map(([name, text]) => [
    name,
    text.replace(/\$\{(\w+):([-?])([^}]*)\}/g, (_, word: string, kind: string, rest: string) =>
      kind === '-' ? (given[word] ?? rest) : (given[word] ?? ''),
    ),
  ]);
  const set = Object.fromEntries(filled.filter(([, value]) => value !== ''));
  const config = makeConfig({ NODE_ENV: 'production', ...set });
  expect(config.databaseUrl).toBe('postgresql://integration_services:a1b2c3@postgres:5432/integration_services');
  expect(config.redisUrl).toBe('redis://redis:6379');
});

test('the server waits for healthy services', () => {
  expect(services.app!.depends_on).toEqual({
    postgres: { condition: 'service_healthy' },
    redis: { condition: 'service_healthy' },
  });
  for (const name of ['postgres', 'redis']) expect(services[name]!.healthcheck).toBeDefined();
});

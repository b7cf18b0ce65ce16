import { readFile } from 'node:fs/promises';
import type { Connector } from '../../../src/connectors/format.ts';
import { parseConnector } from '../../../src/connectors/loader.ts';
import { readStream } from '../../../src/connectors/readStream.ts';
import { connectionDefaults } from '../../../src/connectors/resolve.ts';
import type { ConnectorSession, StreamPage } from '../../../src/connectors/types.ts';
import { validateConnector } from '../../../src/connectors/validate.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { createOutgoing } from '../../../src/outgoing/pipeline.ts';
import { aloneBudgets } from '../../support/budgets.ts';

/** Of all files that a test process runs, and ends with it. */
const outgoing = createOutgoing({
  clock: systemClock,
  allowedPrivateHosts: ['127.0.0.1'],
  defaultBudget: { maxRequests: 100_000, windowMs: 1000 },
  attempts: { record: () => {} },
  budgets: aloneBudgets({ clock: systemClock }),
});

let sessions = 0;

/** A session on the real pipeline. Every one is another integration, so that tests share no budget and no token. */
export function openSession(
  connector: Connector,
  options: Partial<ConnectorSession> & Pick<ConnectorSession, 'connection'>,
): ConnectorSession {
  sessions += 1;
  return {
    connector,
    integrationId: `int_test${sessions}`,
    operationId: 'op_test',
    credentials: {},
    // What the platform allows is not tested here, and would only make the tests wait.
    budgets: [{ maxRequests: 100_000, windowMs: 1000 }],
    send: outgoing.send,
    clock: systemClock,
    ...options,
    connection: { ...connectionDefaults(connector), ...options.connection },
  };
}

/** One of the files in connectors/. */
export async function shippedConnector(platform: string): Promise<Connector> {
  const file = new URL(`../../../connectors/${platform}.yaml`, import.meta.url);
  return parseConnector(await readFile(file, 'utf8'), `${platform}.yaml`);
}

/** A small valid connector without authentication, with these parts instead of its own. */
export function connectorWith(parts: JsonObject): Connector {
  const result = validateConnector({
    platform: 'sample',
    title: 'Sample',
    category: 'other',
    docsUrl: 'https://example.com/docs',
    apiVersion: '1',
    connection: [{ name: 'url', title: 'Address', type: 'url', required: true }],
    auth: [{ name: 'none', title: 'None', type: 'none' }],
    baseUrl: '{{ config.url }}',
    check: { path: '/me' },
    ...parts,
  });
  if ('connector' in result) return result.connector;
  throw new Error(result.problems.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'));
}

/** A stream of items with these parts. */
export function streamOf(parts: JsonObject): JsonObject {
  return { name: 'items', title: 'Items', path: '/items', primaryKey: 'id', ...parts };
}

export async function readPages(
  session: ConnectorSession,
  stream: string,
  state: JsonValue | null = null,
): Promise<StreamPage[]> {
  const pages: StreamPage[] = [];
  for await (const page of readStream(session, { stream, state, signal: new AbortController().signal }))
    pages.push(page);
  return pages;
}

export function keysOf(pages: readonly StreamPage[]): string[] {
  return pages.flatMap((page) => page.records.map((record) => record.key));
}

/** As a state comes back from the database: jsonb orders keys by length, then by bytes. */
export function throughDatabase(state: JsonValue): JsonValue {
  if (Array.isArray(state)) return state.map(throughDatabase);
  if (state === null || typeof state !== 'object') return state;
  const entries = Object.entries(state).map(([key, value]) => [key, throughDatabase(value)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1)));
}

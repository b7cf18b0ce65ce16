import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.ts';

export interface TaggedProvider {
  readonly url: string;
  items: JsonObject[];
  /** How long it makes an answer, in milliseconds; one that is known it does not have to make. */
  makesForMs: number;
  /** What it does with a tag that it knows. */
  onKnown: 'confirms' | 'fails';
  /** Every answer, in order. */
  readonly statuses: number[];
}

/** A provider on loopback that gives one list whole, and knows by its tag what somebody has of it. It ends with the test. */
export async function startTaggedProvider(count: number): Promise<TaggedProvider> {
  const server = createServer(async (request, response) => {
    const body = JSON.stringify({ items: provider.items });
    const etag = `"${createHash('sha1').update(body).digest('hex')}"`;
    const isKnown = request.headers['if-none-match'] === etag;
    if (!isKnown) await delay(provider.makesForMs, undefined, { ref: false });
    const status = isKnown ? (provider.onKnown === 'fails' ? 500 : 304) : 200;
    provider.statuses.push(status);
    response.writeHead(status, { etag, 'content-type': 'application/json' });
    response.end(status === 200 ? body : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const provider: TaggedProvider = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    items: Array.from({ length: count }, (_, index) => ({ id: index + 1, name: `item ${index + 1}` })),
    makesForMs: 0,
    onKnown: 'confirms',
    statuses: [],
  };
  return provider;
}

export function describeTaggedProvider({ url }: TaggedProvider, more: JsonObject = {}): JsonObject {
  return {
    baseUrl: url,
    auth: [
      {
        name: 'key',
        title: 'API key',
        type: 'bearer',
        token: '{{ credentials.apiKey }}',
        fields: [{ name: 'apiKey', title: 'API key' }],
      },
    ],
    check: { path: '/items' },
    retry: { maxAttempts: 1 },
    streams: [{ name: 'items', title: 'Items', path: '/items', recordsPath: 'items', primaryKey: 'id' }],
    ...more,
  };
}

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../src/core/json.ts';

interface Item {
  id: number;
  name: string;
  updated_at: string;
  [key: string]: string | number;
}

/**
 * A small but real provider on loopback: a bearer key, an account, a paged list of items, and the ways a
 * provider misbehaves.
 */
export interface Provider {
  readonly url: string;
  /** The key that it accepts. */
  key: string;
  items: Item[];
  /** Taken instead of the normal answer, when set. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | null;
  /** Every request seen, in order. */
  readonly seen: { method: string; url: string; authorization: string | undefined }[];
  close(): Promise<void>;
}

export async function startProvider(count = 25): Promise<Provider> {
  const seen: Provider['seen'] = [];
  const server = createServer((request, response) => {
    seen.push({ method: request.method!, url: request.url!, authorization: request.headers.authorization });
    if (provider.answer !== null) return provider.answer(request, response);
    if (request.url === '/public') return json(response, 200, { hello: 'everybody' });
    if (request.headers.authorization !== `Bearer ${provider.key}`)
      return json(response, 401, { error: { message: 'bad key' } });
    const url = new URL(request.url!, 'http://provider');
    if (url.pathname === '/me') return json(response, 200, { login: 'octo' });
    if (url.pathname === '/items') {
      const page = Number(url.searchParams.get('page') ?? 1);
      const size = Number(url.searchParams.get('per_page') ?? 10);
      return json(response, 200, { items: provider.items.slice((page - 1) * size, page * size) });
    }
    return json(response, 404, { error: { message: 'no such thing' } });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const provider: Provider = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    key: 'provider-key-7f3a9c',
    items: Array.from({ length: count }, (_, index) => ({
      id: index + 1,
      name: `item ${index + 1}`,
      updated_at: new Date(Date.UTC(2026, 0, 1, 0, 0, index)).toISOString(),
    })),
    answer: null,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return provider;
}

/** The description of that provider, for an integration of the platform `http`. */
export function describeProvider(provider: Provider, checkPath = '/me'): JsonObject {
  return {
    baseUrl: provider.url,
    auth: [
      {
        name: 'key',
        title: 'API key',
        type: 'bearer',
        token: '{{ credentials.apiKey }}',
        fields: [{ name: 'apiKey', title: 'API key' }],
      },
    ],
    check: { path: checkPath, accountPath: 'login' },
    errors: { messagePath: 'error.message' },
    pagination: { type: 'page', param: 'page', pageSize: { param: 'per_page', value: 10 }, shortPageEnds: true },
    streams: [{ name: 'items', title: 'Items', path: '/items', recordsPath: 'items', primaryKey: 'id' }],
  };
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

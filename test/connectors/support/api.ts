import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';

/** A request as the API saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON unless it is a text. */
  readonly body?: unknown;
}

export interface LoopbackApi {
  readonly url: string;
  readonly seen: SeenRequest[];
  close(): Promise<void>;
}

const open = new Set<LoopbackApi>();
afterEach(async () => {
  await Promise.all([...open].map((api) => api.close()));
});

/** A real HTTP server on loopback that answers as `handle` says; closed after the test. */
export async function serveApi(handle: (request: SeenRequest) => Answer | Promise<Answer>): Promise<LoopbackApi> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    void answer(request, response);
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://api');
    const one: SeenRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    };
    seen.push(one);
    const { status = 200, headers = {}, body } = await handle(one);
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const sent = Object.entries({ 'content-type': 'application/json', ...headers }).filter(
      ([, value]) => value !== undefined,
    );
    response.writeHead(status, Object.fromEntries(sent)).end(text);
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const api: LoopbackApi = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: async () => {
      open.delete(api);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  open.add(api);
  return api;
}

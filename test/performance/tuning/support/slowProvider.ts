import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.ts';

/** How the provider takes the sizes of pages. */
export interface Behaviour {
  /** What a page of this size takes, in milliseconds. */
  latencyMs: (size: number) => number;
  /** Larger pages are answered with this status. */
  refusesAbove?: { size: number; status: number };
  /** Larger pages are silently cut to this. */
  cutsTo?: number;
  /** Lists that it does not know. */
  missing?: readonly string[];
}

export interface SlowProvider {
  readonly url: string;
  readonly behaviour: Behaviour;
  /** The most requests under way at the same time. */
  mostAtOnce: number;
  /** Sizes asked for, in order. */
  readonly sizes: number[];
}

/** A provider on loopback whose lists `/<name>` all have `count` items, paged by number. It ends with the test. */
export async function startSlowProvider(count: number, behaviour: Behaviour): Promise<SlowProvider> {
  let under = 0;
  const server = createServer(async (request, response) => {
    const url = new URL(request.url!, 'http://provider');
    const asked = Number(url.searchParams.get('per_page') ?? 10);
    provider.sizes.push(asked);
    under += 1;
    provider.mostAtOnce = Math.max(provider.mostAtOnce, under);
    await delay(behaviour.latencyMs(asked), undefined, { ref: false });
    under -= 1;
    const { refusesAbove, cutsTo, missing } = behaviour;
    if (refusesAbove !== undefined && asked > refusesAbove.size) {
      response.writeHead(refusesAbove.status, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"per_page is too large"}}');
      return;
    }
    if (missing?.includes(url.pathname.slice(1))) {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"no such list"}}');
      return;
    }
    const size = Math.min(asked, cutsTo ?? asked);
    const page = Number(url.searchParams.get('page') ?? 1);
    const ids = Array.from({ length: count }, (_, index) => index + 1).slice((page - 1) * size, page * size);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ items: ids.map((id) => ({ id, name: `${url.pathname} ${id}` })) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const provider: SlowProvider = { url: `http://127.0.0.1:${port}`, behaviour, mostAtOnce: 0, sizes: [] };
  return provider;
}

/** @param pageSize beside its parameter */
export function describeSlowProvider(
  { url }: SlowProvider,
  pageSize: { value: number; max?: number },
  streams: readonly string[] = ['items'],
): JsonObject {
  return {
    baseUrl: url,
    auth: [{ name: 'none', title: 'None', type: 'none' }],
    check: { path: '/items' },
    errors: { messagePath: 'error.message' },
    retry: { maxAttempts: 1 },
    pagination: { type: 'page', param: 'page', pageSize: { param: 'per_page', ...pageSize }, shortPageEnds: true },
    streams: streams.map((name) => ({
      name,
      title: name,
      path: `/${name}`,
      recordsPath: 'items',
      primaryKey: 'id',
    })),
  };
}

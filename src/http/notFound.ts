import type { FastifyRequest } from 'fastify';
import { suggestion } from '../core/input.ts';
import { MethodNotAllowedError, RouteNotFoundError } from './errors.ts';
import type { Server } from './typeProvider.ts';

/** Longer addresses are not compared: the distance takes quadratic time. */
const MAX_COMPARED_CHARS = 200;

/** The routes of a server, as they are registered: their methods by their address with `:parameters`. */
export type RouteTable = ReadonlyMap<string, ReadonlySet<string>>;

/** Must be called before the first route is registered. */
export function recordRoutes(server: Server): RouteTable {
  const table = new Map<string, Set<string>>();
  server.addHook('onRoute', ({ url, method }) => {
    const methods = table.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    table.set(url, methods);
  });
  return table;
}

/** Why nothing answers here: the method, or the address, then with the one that was probably meant. */
export function notFoundError(request: FastifyRequest, routes: RouteTable): Error {
  const path = request.url.split('?')[0]!;
  const segments = path.split('/');
  const allowed = [...routes].filter(([url]) => matches(url, segments)).flatMap(([, methods]) => [...methods]);
  if (allowed.length > 0) return new MethodNotAllowedError(request.method, path, [...new Set(allowed)].sort());
  const shown = path.length > MAX_COMPARED_CHARS ? `${path.slice(0, MAX_COMPARED_CHARS)}…` : path;
  const near = path.length > MAX_COMPARED_CHARS ? '' : suggestion(path, candidates(routes, segments));
  return new RouteNotFoundError(`There is nothing at ${JSON.stringify(shown)}.${near} All addresses are at /docs.`);
}

function matches(url: string, segments: readonly string[]): boolean {
  const parts = url.split('/');
  return (
    parts.length === segments.length &&
    parts.every((part, index) => (part.startsWith(':') ? segments[index] !== '' : part === segments[index]))
  );
}

/** Every address of as many parts, its parameters filled in from what was asked. */
function candidates(routes: RouteTable, segments: readonly string[]): string[] {
  return [...routes.keys()]
    .map((url) => url.split('/'))
    .filter((parts) => parts.length === segments.length)
    .map((parts) => parts.map((part, index) => (part.startsWith(':') ? segments[index] : part)).join('/'));
}

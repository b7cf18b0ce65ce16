import type { FastifyContextConfig } from 'fastify';
import { PERMISSIONS, type Permission } from '../../access/permissions.ts';
import type { Server } from '../typeProvider.ts';

/** What a route asks of whoever calls it. */
export interface RoutePermission {
  readonly method: string;
  readonly url: string;
  readonly permission: Permission | 'self' | 'open';
}

/**
 * Refuses routes that do not say who may call them, when they are registered: nothing is reachable by being forgotten.
 * Must be called before the first route is registered.
 * @returns what was registered, as it grows
 */
export function requirePermissions(server: Server): readonly RoutePermission[] {
  const routes: RoutePermission[] = [];
  server.addHook('onRoute', ({ url, method, config }) => {
    for (const one of [method].flat()) {
      const problem = problemOf(url, config ?? {});
      if (problem !== null) throw new Error(`The route ${one} ${url} ${problem}`);
      routes.push({ method: one, url, permission: config?.open === true ? 'open' : config!.permission! });
    }
  });
  return routes;
}

function problemOf(url: string, { open, permission, about }: FastifyContextConfig): string | null {
  if (open === true)
    return permission === undefined ? null : 'is open and has a permission; it must be one of the two.';
  if (permission === undefined) return 'declares no permission and is not open.';
  if (permission === 'self') return about === undefined ? null : 'is about the caller, so `about` means nothing.';
  const scoped = PERMISSIONS[permission].scope === 'integration';
  if (!scoped) return about === undefined ? null : `asks for ${permission}, which is about no integration.`;
  if (about === undefined) return `asks for ${permission} and must say by \`about\` for which integration.`;
  if (about !== 'many' && !/\/:id(\/|$)/.test(url)) return `is about one ${about} and needs its id in the address.`;
  return null;
}

import { isIPv4 } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { Config } from '../config/config.ts';
import { ForeignSiteError } from './errors.ts';

/**
 * For a server that listens on loopback, as in development: a page of another site, open in a browser on this
 * machine, must not reach it. Two ways are closed: a name of the attacker that resolves to 127.0.0.1 (DNS
 * rebinding; the Host header tells), and a write sent across origins (the Origin header tells).
 * Where people reach the server by other names, as in production, nothing is checked here.
 */
export function browserGuard(config: Config): ((request: FastifyRequest) => void) | null {
  if (config.environment === 'production' || !isLoopback(config.host)) return null;
  const publicUrl = new URL(config.publicUrl);
  return (request) => {
    const host = hostname(request.headers.host);
    if (host === undefined || !(isLoopback(host) || host === publicUrl.hostname)) {
      throw new ForeignSiteError(
        `This server answers on ${config.publicUrl} only, but was asked as ${JSON.stringify(request.headers.host ?? '')}. Use that address, or set PUBLIC_URL to the one you use.`,
      );
    }
    const { origin } = request.headers;
    if (origin === undefined || request.method === 'GET' || request.method === 'HEAD') return;
    if (origin !== publicUrl.origin && origin !== `http://${request.headers.host}`) {
      throw new ForeignSiteError(
        `A page of ${JSON.stringify(origin)} may not change anything here. Send the request from a program, or from a page of this server.`,
      );
    }
  };
}

/** Whether a host name or address can only be this machine. */
function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return bare === 'localhost' || bare === '::1' || (isIPv4(bare) && bare.startsWith('127.'));
}

function hostname(header: string | undefined): string | undefined {
  const url = `http://${header ?? ''}`;
  return header !== undefined && /^[\w.:[\]-]+$/.test(header) && URL.canParse(url) ? new URL(url).hostname : undefined;
}

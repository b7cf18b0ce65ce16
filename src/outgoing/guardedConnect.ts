import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { getCACertificates } from 'node:tls';
import { buildConnector } from 'undici';
import { type AllowList, normalizeHost, refusalOf } from './addressPolicy.ts';

/** One answer of DNS. */
interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Every address a name stands for. */
export type ResolveHost = (hostname: string) => Promise<readonly ResolvedAddress[]>;

/** How this machine resolves names, its hosts file included. */
export const systemResolve: ResolveHost = (hostname) => lookup(hostname, { all: true, order: 'verbatim' });

/** The target is one that must not be called. */
export class BlockedTargetError extends Error {
  readonly code = 'BLOCKED_TARGET';
}

export interface GuardOptions {
  readonly allowed: AllowList;
  readonly resolve: ResolveHost;
  /** From the start of the name's resolution to the end of the TLS handshake. */
  readonly timeoutMs: number;
  /** Roots to trust beside the system's, as PEM. */
  readonly extraCertificates?: readonly string[];
}

/** With several addresses, how long one is tried before the next is tried beside it (RFC 8305). */
const NEXT_ADDRESS_MS = 500;
/** Of a name with very many addresses, how many are tried. */
const MAX_ADDRESSES = 8;

/**
 * The only way a socket of the outgoing pipeline is opened.
 *
 * An address given as a literal is judged before it is dialled. A name is resolved once, every answer is judged,
 * and exactly these answers are dialled, so a name that changes its mind in between (DNS rebinding) changes nothing.
 * One bad answer refuses the name. Last, the address of the open socket is judged, before a byte of the request
 * is written.
 */
export function guardedConnect(options: GuardOptions): buildConnector.connector {
  const { allowed, timeoutMs, extraCertificates = [] } = options;
  const dial = buildConnector({
    timeout: timeoutMs,
    allowH2: false,
    lookup: judgedLookup(options),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
    ...(extraCertificates.length > 0 ? { ca: [...getCACertificates(), ...extraCertificates] } : {}),
  });
  return (target, callback) => {
    const hostname = normalizeHost(target.hostname);
    // `lookup` is never asked about a literal.
    const refusal = isIP(hostname) === 0 ? null : refusalOf(hostname, hostname, allowed);
    if (refusal !== null) {
      process.nextTick(callback, new BlockedTargetError(refusal), null);
      return;
    }
    dial(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      const { remoteAddress } = socket;
      if (remoteAddress === undefined) return callback(connectionLost(), null);
      const reached = refusalOf(remoteAddress, hostname, allowed);
      if (reached === null) return callback(null, socket);
      socket.destroy();
      callback(new BlockedTargetError(reached), null);
    });
  };
}

function judgedLookup({ allowed, resolve }: GuardOptions): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (answers) => {
        const refusal = answers.map(({ address }) => refusalOf(address, hostname, allowed)).find(Boolean);
        if (refusal) return callback(new BlockedTargetError(`${hostname}: ${refusal}`), []);
        const dialled = answers.slice(0, MAX_ADDRESSES).map(({ address }) => ({ address, family: isIP(address) }));
        const [first] = dialled;
        if (first === undefined) callback(noAddress(hostname), []);
        else if (options.all) callback(null, dialled);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
}

function noAddress(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${hostname} has no address`), { code: 'ENODATA' });
}

function connectionLost(): NodeJS.ErrnoException {
  return Object.assign(new Error('the connection was closed as soon as it was open'), { code: 'ECONNRESET' });
}

import type { Connector } from './format.ts';

/** Whether streams may be read at the same time: not where logging in for one may end what another has logged in to. */
export function takesParallelStreams({ auth }: Connector): boolean {
  return auth.every(({ type }) => type !== 'session');
}

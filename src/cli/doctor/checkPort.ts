import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Config } from '../../config/config.ts';
import { errorMessage } from '../../core/errors.ts';
import { type Finding, fail, pass } from './finding.ts';

const PROBE_TIMEOUT_MS = 2_000;

/** Whether the server could listen, or already does. */
export async function checkPort({ host, port }: Config): Promise<Finding> {
  const where = `${host}:${port}`;
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, 'listening');
    probe.close();
    return pass('port', `${where} is free`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      if (await answersAsOurs(host, port)) return pass('port', `${where}: the server is running`);
      return fail('port', `${where} is taken by another program`, 'Stop that program, or set PORT to another number.');
    }
    if (code === 'EACCES')
      return fail('port', `${where} may not be used by this user`, 'Set PORT to a number above 1023.');
    return fail('port', `${where}: ${errorMessage(error)}`, 'Set HOST to an address of this machine.');
  }
}

async function answersAsOurs(host: string, port: number): Promise<boolean> {
  const reachable = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  try {
    const answer = await fetch(`http://${reachable}:${port}/livez`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    return answer.ok;
  } catch {
    return false;
  }
}

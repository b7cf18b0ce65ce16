import type { AuditTrail } from '../../audit/types.ts';
import type { Config } from '../../config/config.ts';
import type { Clock } from '../../core/clock.ts';
import { newId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Outgoing } from '../../outgoing/pipeline.ts';
import type { Database } from '../../store/database.ts';
import type { AccessSignal, AccessVersion } from '../accessSignal.ts';
import type { StackAuthenticator } from './stackUsers.ts';

/** Real sets of keys are around 1 KB. */
const MAX_JWKS_BYTES = 64 * 1024;

/** Stack Auth as it is configured; null where it is not. Asks nobody for anything until a token comes. */
export async function openStackAuth(
  config: Config['stackAuth'],
  deps: {
    readonly database: Database;
    readonly audit: AuditTrail;
    readonly version: AccessVersion;
    readonly signal: AccessSignal;
    readonly outgoing: Outgoing;
    readonly clock: Clock;
    readonly log: Log;
  },
): Promise<StackAuthenticator | null> {
  if (config === null) return null;
  const [{ StackTokens }, { StackAuthenticator }] = await Promise.all([
    import('./stackTokens.ts'),
    import('./stackUsers.ts'),
  ]);
  const { projectId, issuers } = config;
  const tokens = new StackTokens({
    projectId,
    issuers,
    fetch: deps.outgoing.fetchFor({
      integrationId: 'stack-auth',
      operationId: newId('operation'),
      maxResponseBytes: MAX_JWKS_BYTES,
    }),
    clock: deps.clock,
    log: deps.log,
  });
  return new StackAuthenticator({ ...deps, tokens, projectId });
}

import { AccessSignal } from '../../src/access/accessSignal.ts';
import { ApiKeys } from '../../src/access/apiKeys/apiKeys.ts';
import { DenialLog } from '../../src/access/denials.ts';
import { Freezer } from '../../src/access/freeze/freeze.ts';
import type { App } from '../../src/app.ts';
import { systemClock } from '../../src/core/clock.ts';
import { addUser, OPERATOR, Recorder, RuleBook } from '../access/support/people.ts';
import { openTestServer, type TestServer } from './testServer.ts';

/** A server with users, by a rule book. Its own changes are not announced to it: it is told as a replica is. */
export interface GuardServer extends TestServer {
  readonly rules: RuleBook;
  readonly audit: Recorder;
  /** A user with a key of theirs that is limited by nothing. */
  addUser(role?: string): Promise<{ id: string; key: string; apiKeyId: string }>;
}

export async function openGuardServer(
  databaseUrl: string,
  options: { environment?: Record<string, string> } = {},
): Promise<GuardServer> {
  const audit = new Recorder();
  let rules!: RuleBook;
  let denials!: DenialLog;
  const server = await openTestServer(databaseUrl, {
    workers: false,
    ...options,
    adapt: (app: App): App => {
      const { database, log, access } = app;
      rules = new RuleBook(database);
      const { decider } = rules;
      const signal = new AccessSignal();
      denials = new DenialLog({ database, audit, log });
      return {
        ...app,
        access: {
          ...access,
          apiKeys: new ApiKeys({ database, audit, decider, signal, clock: systemClock }),
          freezer: new Freezer({ database, audit, decider, signal, endSessions: async () => {} }),
          checks: { ...access.checks, decider, denials },
        },
      };
    },
  });
  return {
    ...server,
    rules,
    audit,
    async addUser(role) {
      const id = await addUser(server.app.database, role);
      const { key, apiKey } = await server.app.access.apiKeys.create({ principal: OPERATOR }, id, { name: 'all' });
      return { id, key, apiKeyId: apiKey.id };
    },
    async close() {
      await denials.close();
      await server.close();
    },
  };
}

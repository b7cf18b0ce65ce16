import { AsyncLocalStorage } from 'node:async_hooks';
import type { AuditActor, AuditEvent, AuditOrigin } from './types.ts';

/** On whose behalf the program does something, and where they are. */
export interface Acting {
  readonly actor: AuditActor;
  readonly origin?: AuditOrigin;
}

const LIBRARY: Acting = { actor: { kind: 'installation', id: 'library' } };

const storage = new AsyncLocalStorage<Acting>();

/** Everything that `run` does, and causes, is done on behalf of `acting`. */
export function actAs<T>(acting: Acting, run: () => T): T {
  return storage.run(acting, run);
}

/** What every event says of who does it; a program that calls the library counts as the installation. */
export function acting(): Pick<AuditEvent, 'actor' | 'origin'> {
  return storage.getStore() ?? LIBRARY;
}

/** The user who acts, by themselves or through an API key; null for the installation and the system. */
export function actingUserId(): string | null {
  const { actor } = acting();
  if (actor.kind === 'user') return actor.id;
  return actor.userId ?? null;
}

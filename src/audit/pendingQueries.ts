import { type Kysely, sql } from 'kysely';
import type { Schema } from '../store/schema.ts';
import type { EncodedEvent } from './event.ts';

/** A plain insert: it waits for no lock that another one has. */
export async function insertPending(db: Kysely<Schema>, events: readonly EncodedEvent[]): Promise<void> {
  const [first] = events;
  if (events.length === 1)
    await sql`insert into audit_pending (id, event) values (${first!.id}, ${first!.bytes})`.execute(db);
  else
    await sql`
      insert into audit_pending (id, event)
      select * from unnest(${events.map(({ id }) => id)}::text[], ${events.map(({ bytes }) => bytes)}::bytea[])
    `.execute(db);
}

import { z } from 'zod';
import type { JsonObject } from '../core/json.ts';
import { cutText } from './boundedJson.ts';
import type { EntryRow } from './entryQueries.ts';
import { EVENT_TIME, parseEvent, type RecordedEvent } from './event.ts';

/** An entry as it is shown: the event, and its number in the log. */
export type StoredEntry = RecordedEvent & { readonly seq: number };

const MAX_SHOWN_CHARS = 1_000;

const object = z.record(z.string(), z.unknown());

const recordedEvent = z.object({
  id: z.string(),
  time: z.string().regex(EVENT_TIME),
  actor: z.object({ kind: z.string(), id: z.string(), userId: z.string().optional() }),
  action: z.string(),
  outcome: z.string(),
  target: z.object({ kind: z.string(), id: z.string() }).optional(),
  integrationId: z.string().optional(),
  origin: z
    .object({ address: z.string().optional(), requestId: z.string().optional(), userAgent: z.string().optional() })
    .optional(),
  before: object.optional(),
  after: object.optional(),
  details: object.optional(),
});

/** What was put into the tables by hand may be no event; then its text is shown in `details`. */
export function toStoredEntry({ seq, event }: Pick<EntryRow, 'seq' | 'event'>): StoredEntry {
  const read = recordedEvent.safeParse(parseEvent(event));
  if (read.success) return { seq, ...(read.data as RecordedEvent) };
  const details: JsonObject = { unreadable: cutText(event.toString(), MAX_SHOWN_CHARS) };
  const nobody = { kind: 'unknown', id: '' };
  return { seq, id: '', time: new Date(0).toISOString(), actor: nobody, action: '', outcome: '', details };
}

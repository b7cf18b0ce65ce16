import { z } from 'zod';

const runFields = {
  id: z.string(),
  integrationId: z.string(),
  trigger: z.enum(['schedule', 'manual']),
  fullRefresh: z.boolean(),
  status: z.enum(['queued', 'running', 'succeeded', 'failed', 'stopped']),
  dueAt: z.string(),
  queuedAt: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  pages: z.int(),
  recordsRead: z.int(),
  recordsAdded: z.int(),
  recordsUpdated: z.int(),
  recordsDeleted: z.int(),
  recordsUnchanged: z.int(),
  recordsConfirmed: z.int().describe('Not read: the provider confirmed that they are as they were.'),
  streamsConfirmed: z.array(z.string()),
  error: z.object({ code: z.string(), message: z.string(), stream: z.string().optional() }).nullable(),
  warnings: z.array(z.object({ code: z.string(), message: z.string(), stream: z.string().optional() })),
};

export const runAnswer = z.object(runFields).meta({ id: 'SyncRun' });

export const resultAnswer = z
  .object({ ...runFields, success: z.boolean(), durationMs: z.number() })
  .meta({ id: 'SyncResult', description: 'A finished run.' });

export const recordPageAnswer = z
  .object({
    records: z.array(
      z.object({
        stream: z.string(),
        key: z.string(),
        change: z.enum(['added', 'updated', 'deleted']),
        data: z.record(z.string(), z.unknown()),
        changedAt: z.string(),
        deletedAt: z.string().nullable(),
      }),
    ),
    nextCursor: z.string().describe('Goes on from here, now or next week.'),
    hasMore: z.boolean(),
  })
  .meta({ id: 'RecordPage', description: 'Records in the order they changed.' });

export const streamAnswer = z
  .object({
    stream: z.string(),
    records: z.int(),
    lastFullReadAt: z.string().nullable(),
    updatedAt: z.string().nullable(),
    pendingDeletions: z.object({ count: z.int(), total: z.int(), foundAt: z.string() }).nullable(),
    knownAnswer: z
      .object({ validator: z.enum(['etag', 'last_modified']), readAt: z.string(), confirmed: z.int() })
      .nullable(),
  })
  .meta({ id: 'StreamStatus' });

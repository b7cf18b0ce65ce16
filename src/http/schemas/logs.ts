import { z } from 'zod';
import { MAX_PAGE_RECORDS } from '../../logging/search/logQuery.ts';
import { LOG_LEVELS } from '../../logging/types.ts';
import { filterText, limitOf } from './parts.ts';

const level = z.enum(LOG_LEVELS as [(typeof LOG_LEVELS)[number], ...(typeof LOG_LEVELS)[number][]]);

/** What records are chosen by, whether they are read, counted, exported or followed. */
export const logChoice = {
  level: level.optional().describe('This level and all above it.'),
  levels: z
    .string()
    .max(100)
    .transform((text) => text.split(','))
    .pipe(z.array(level).min(1))
    .optional()
    .describe('Exactly these levels, with commas between them.'),
  searchQuery: z
    .string()
    .max(2_000)
    .optional()
    .describe('Lucene style, such as `level:>=warn AND (timeout OR "connection reset")`; docs/log-search.md.'),
  operationId: filterText.optional(),
  traceId: filterText.optional(),
};

const time = z.iso.datetime({ offset: true });

export const logTimes = {
  timeRange: z
    .string()
    .max(20)
    .optional()
    .describe('A time back from now, such as `15m`, `24h` (the default) or `7d`.'),
  from: time.optional().describe('Not before this time; in place of `timeRange`.'),
  to: time.optional().describe('Before this time.'),
};

export const logIntegration = filterText.optional().describe('Of this integration only, or of `system`.');

export const logLimit = limitOf(MAX_PAGE_RECORDS);

export const logAnswer = z
  .object({
    seq: z.int().describe('Gapless, in the order of commits.'),
    timestamp: z.string().describe('When it happened.'),
    observedTimestamp: z.string().describe('When it was taken; time ranges go by this one.'),
    integrationId: z.string().describe('An integration, or `system`.'),
    level,
    severityNumber: z.int(),
    message: z.string(),
    eventName: z.string().nullable(),
    operationId: z.string().nullable(),
    requestId: z.string().nullable(),
    traceId: z.string().nullable(),
    spanId: z.string().nullable(),
    attributes: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'LogRecord' });

export const histogramAnswer = z
  .object({
    bucketMs: z.int().describe('How long each bucket is, in milliseconds.'),
    buckets: z.array(
      z.object({
        start: z.string(),
        total: z.int(),
        levels: z.object(Object.fromEntries(LOG_LEVELS.map((name) => [name, z.int()]))),
      }),
    ),
  })
  .meta({ id: 'LogHistogram' });

interface TimeQuery {
  readonly timeRange?: string;
  readonly from?: string;
  readonly to?: string;
}

/** The time range as the service takes it. */
export function timeRangeOf({ timeRange, from, to }: TimeQuery): string | { from?: string; to?: string } | undefined {
  return from === undefined && to === undefined ? timeRange : { from, to };
}

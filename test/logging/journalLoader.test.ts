import { expect, it } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { copyLine } from '../../src/logging/copyLine.ts';
import { JournalLoader } from '../../src/logging/journalLoader.ts';
import { RecordMaker } from '../../src/logging/record.ts';
import { useTestDatabase } from '../support/database.ts';

const database = useTestDatabase();

it('lines that a crash has damaged keep no other out, also one that ends a COPY', async () => {
  const maker = new RecordMaker();
  const good = (index: number) => copyLine(maker.make('int_torn', 'info', 'numbered', { index }, Date.now()));
  const lines = [good(1), '\\.\n', good(2), 'torn\n', good(3), good(4), '\\.\n', good(5)];
  const bytes = Buffer.from(lines.join(''));
  const refused: unknown[] = [];
  const loader = new JournalLoader(
    {
      journalId: newId('journal'),
      read: async (from) => (from < bytes.length ? { bytes: bytes.subarray(from), from, to: bytes.length } : null),
    },
    { database: database.current, onRefused: (reason) => void refused.push(reason) },
  );
  while (await loader.loadNext());
  expect(loader.loaded).toBe(bytes.length);
  expect(refused).toHaveLength(3);
  const { rows } = await database.current.pool.query<{ seq: number; index: number }>(
    `select seq, (attributes->>'index')::int as index from logs where integration_id = 'int_torn' order by seq`,
  );
  expect(rows.map(({ index }) => index)).toEqual([1, 2, 3, 4, 5]);
  expect(rows.map(({ seq }) => seq - rows[0]!.seq)).toEqual([0, 1, 2, 3, 4]);
});

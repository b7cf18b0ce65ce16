import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/core/log.ts';
import { foldCase } from '../../../src/logging/search/filter.ts';
import { LogHistory } from '../../../src/logging/search/logHistory.ts';
import { filterPredicate } from '../../../src/logging/search/matches.ts';
import { parseLogQuery } from '../../../src/logging/search/parseQuery.ts';
import { SEVERITIES } from '../../../src/logging/types.ts';
import { BlockMaker } from '../../../src/logging/words/blockMaker.ts';
import { forgetBlocks, groupRanges, numbersIn, rangesWith } from '../../../src/logging/words/blockQueries.ts';
import { requiredBits, wordBits } from '../../../src/logging/words/wordBits.ts';
import { useTestDatabase } from '../../support/database.ts';
import { anyQuery } from '../search/arbitraries.ts';
import { writeLogs } from '../support.ts';

const database = useTestDatabase();
const bounds = { fromMs: Date.now() - 86_400_000, toMs: Date.now() + 86_400_000 };
const bitsOf = (query: string) => requiredBits(parseLogQuery(query, Date.now()));
const ranges = (query: string, before: number | null = null) =>
  database.current.transaction((tx) => rangesWith(tx, bitsOf(query), bounds, before));

/** So many records, of which every so manieth says something else. */
async function write(count: number, special: (index: number) => string | null): Promise<number> {
  const drafts = Array.from({ length: count }, (_, index) => ({
    message: special(index) ?? `Request ${index} was answered after ${index % 97} ms`,
    attributes: { index },
  }));
  return (await writeLogs(database.current, drafts))[0]!;
}

describe('the words of a block', () => {
  const maker = () => new BlockMaker({ database: database.current, log: silentLog });
  const find = async (searchQuery: string, cursor?: string) =>
    await new LogHistory({ database: database.current }).read(null, { searchQuery, limit: 20, cursor });

  it('lead to every record that a search finds, through pages, also to those in no block yet', async () => {
    const first = await write(5_000, (index) => (index % 700 === 5 ? `Zeitüberschreitung TIMEOUT ${index}` : null));
    await maker().catchUp();
    await write(100, (index) => (index === 50 ? 'a timeout that is new' : null));
    const found: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await new LogHistory({ database: database.current }).read(null, {
        searchQuery: 'timeout',
        limit: 3,
        cursor,
      });
      found.push(...page.logs.map(({ attributes }) => attributes.index));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(found).toEqual([50, 4905, 4205, 3505, 2805, 2105, 1405, 705, 5]);
    expect((await find('zeitÜberschreitung')).logs).toHaveLength(0);
    expect((await find('ZEITüberschreitung AND attributes.index:<800')).logs).toHaveLength(2);
    expect((await find('wasanswered')).logs).toHaveLength(0);
    expect(first).toBeGreaterThan(0);
  });

  it('leave most records out of a search for a rare word, and all blocks for one that is nowhere', async () => {
    await write(10_000, (index) => (index === 3_000 ? 'the needle' : null));
    await maker().catchUp();
    const { rows } = await database.current.pool.query('select upto, next from log_block_progress, log_sequence');
    const waiting = rows[0].next - 1 - rows[0].upto;
    expect(waiting).toBeLessThan(512);
    expect(numbersIn(await ranges('needle'))).toBeLessThanOrEqual(3 * 512 + waiting);
    expect(numbersIn(await ranges('nowhere-at-all'))).toBeLessThanOrEqual(512 + waiting);
    expect(numbersIn(await ranges('answered'))).toBeGreaterThan(9_000);
  });

  it('are not trusted any more when older records are brought back', async () => {
    const first = await write(2_000, () => null);
    await maker().catchUp();
    const searched = () => ranges('brought-back');
    const isIn = async (seq: number) => (await searched()).some(({ from, to }) => from <= seq && seq <= to);
    const seq = first + 700;
    expect(await isIn(seq)).toBe(false);
    const observed_at = new Date(bounds.fromMs + 1).toISOString();
    await database.current.transaction((tx) => forgetBlocks(tx, [{ seq, observed_at }]));
    expect(await isIn(seq)).toBe(true);
  });

  it('are made once by several at a time', async () => {
    await write(6_000, () => null);
    await Promise.all([1, 2, 3].map(() => maker().catchUp()));
    await maker().catchUp();
    const { rows } = await database.current.pool.query(
      `select first_seq, last_seq, lag(last_seq) over (order by first_seq) as before from log_blocks order by 1`,
    );
    expect(rows.filter(({ first_seq, before }) => before !== null && first_seq <= before)).toEqual([]);
    const progress = await database.current.pool.query('select upto, next from log_block_progress, log_sequence');
    expect(progress.rows[0].next - progress.rows[0].upto).toBeLessThanOrEqual(512);
  });
});

describe('what a search needs', () => {
  const log = {
    seq: 1,
    timestamp: new Date().toISOString(),
    observedTimestamp: new Date().toISOString(),
    integrationId: 'system',
    level: 'info' as const,
    severityNumber: SEVERITIES.info,
    eventName: null,
    operationId: null,
    requestId: null,
    traceId: null,
    spanId: null,
    attributes: {},
  };

  it('is in the bits of every message that it finds', () => {
    const word = fc.stringMatching(/^[a-cA-C*? ü"]{1,12}$/);
    fc.assert(
      fc.property(fc.oneof(word, anyQuery), fc.stringMatching(/^[a-cA-Cü ]{0,30}$/), (query, message) => {
        let filter: ReturnType<typeof parseLogQuery>;
        try {
          filter = parseLogQuery(query, Date.now());
        } catch {
          return;
        }
        if (!filterPredicate(filter)({ ...log, message })) return;
        const bits = wordBits(`before\n\n${message}\n\nafter`);
        for (const bit of requiredBits(filter)) expect(bits[bit >>> 3]! & (1 << (bit & 7)), query).not.toBe(0);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is nothing where a word is one of several, is excluded, or is too short', () => {
    for (const query of ['timeout OR refused', 'NOT timeout', 'ab', 't*t', 'event:timeout', 'attributes.a:timeout'])
      expect(bitsOf(query), query).toEqual([]);
    expect(bitsOf('timeout')).toEqual(bitsOf(foldCase('TimeOut')));
    expect(bitsOf('time*out').length).toBe(3);
  });
});

it('ranges are divided into groups without losing or repeating a number', () => {
  const numbers = (all: readonly { from: number; to: number }[]) =>
    all.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, index) => to - index));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 40 })), { maxLength: 12 }),
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 4 }),
      (parts, maxNumbers, maxRanges) => {
        let at = 1_000;
        const all = parts.map(([gap, length]) => {
          const to = at - gap;
          at = to - length + 1;
          return { from: at, to };
        });
        const groups = groupRanges(all, maxNumbers, maxRanges);
        expect(numbers(groups.flat())).toEqual(numbers(all));
        for (const group of groups) {
          expect(numbersIn(group)).toBeLessThanOrEqual(maxNumbers);
          expect(group.length).toBeLessThanOrEqual(maxRanges);
        }
      },
    ),
  );
});

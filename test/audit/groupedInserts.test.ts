import { expect, it } from 'vitest';
import type { EncodedEvent } from '../../src/audit/event.ts';
import { GroupedInserts } from '../../src/audit/groupedInserts.ts';

const event = (id: string): EncodedEvent => ({ id, bytes: Buffer.from(id) });

/** Statements that end when they are told to. */
function openInserts() {
  const statements: { ids: string[]; end: PromiseWithResolvers<void> }[] = [];
  const grouped = new GroupedInserts((events) => {
    const end = Promise.withResolvers<void>();
    statements.push({ ids: events.map(({ id }) => id), end });
    return end.promise;
  });
  return { statements, grouped };
}

const settled = (promise: Promise<unknown>) =>
  Promise.race([promise.then(() => 'done'), new Promise((resolve) => setImmediate(resolve, 'waiting'))]);

it('a lone event is inserted at once, and what comes meanwhile shares the next statement, in its order', async () => {
  const { statements, grouped } = openInserts();
  const first = grouped.add([event('a')]);
  const later = [grouped.add([event('b')]), grouped.add([event('c'), event('d')])];
  expect(statements.map(({ ids }) => ids)).toEqual([['a']]);
  expect(await settled(first)).toBe('waiting');
  statements[0]!.end.resolve();
  await first;
  expect(statements.map(({ ids }) => ids)).toEqual([['a'], ['b', 'c', 'd']]);
  expect(await settled(later[0]!)).toBe('waiting');
  statements[1]!.end.resolve();
  await Promise.all(later);
});

it('a statement that fails is told to those whose events were in it, and to nobody else', async () => {
  const { statements, grouped } = openInserts();
  const first = grouped.add([event('a')]);
  const second = grouped.add([event('b')]);
  statements[0]!.end.reject(new Error('lost'));
  await expect(first).rejects.toThrow('lost');
  await settled(second);
  statements[1]!.end.resolve();
  await second;
  const third = grouped.add([event('c')]);
  statements[2]!.end.resolve();
  await third;
});

it('a statement has at most 500 rows, unless they came together', async () => {
  const { statements, grouped } = openInserts();
  const all = [grouped.add([event('first')])];
  for (let count = 0; count < 1_200; count++) all.push(grouped.add([event(String(count))]));
  all.push(grouped.add(Array.from({ length: 700 }, (_, index) => event(`many ${index}`))));
  for (let at = 0; at < 5; at++) {
    await settled(Promise.all(all));
    statements[at]?.end.resolve();
  }
  await Promise.all(all);
  expect(statements.map(({ ids }) => ids.length)).toEqual([1, 500, 500, 200, 700]);
});

import { expect, it } from 'vitest';
import { MAX_PARENT_CURSORS } from '../../src/connectors/streamState.ts';
import type { JsonValue } from '../../src/core/json.ts';
import { serveApi } from './support/api.ts';
import { connectorWith, openSession, readPages, streamOf, throughDatabase } from './support/session.ts';

const MORE = 200;
const COUNT = MAX_PARENT_CURSORS + MORE;

const connector = connectorWith({
  streams: [
    streamOf({ name: 'shops', path: '/shops' }),
    streamOf({
      path: '/shops/{{ parent.id }}/items',
      params: { since: '{{ state.cursor }}' },
      incremental: { cursorField: 'at', format: 'epoch_seconds' },
      parent: { stream: 'shops' },
    }),
  ],
});

it('a read under ever so many parents keeps cursors of its limit, of parents that there still are', async () => {
  let from = 0;
  const api = await serveApi(({ path }) =>
    path === '/shops'
      ? { body: Array.from({ length: COUNT }, (_, index) => ({ id: from + index })) }
      : { body: [{ id: path, at: 1_000_000 }] },
  );
  const session = openSession(connector, { connection: { url: api.url } });
  const pages = await readPages(session, 'items');
  const kept = pages.slice(0, -1).map(({ state }) => Object.keys((state as unknown as Doing).read.done).length);
  // None for the parent that is read next, and a state that was given out does not change.
  expect(kept).toEqual(Array.from({ length: COUNT - 1 }, (_, index) => Math.min(index + 1, MAX_PARENT_CURSORS)));

  // The oldest parents went, new ones came: these take the places of those.
  from = COUNT / 2;
  const second = await readPages(session, 'items', throughDatabase(pages.at(-1)!.state));
  const asked = api.seen.length;
  await readPages(session, 'items', throughDatabase(second.at(-1)!.state));
  const inFull = api.seen.slice(asked).filter(({ path, query }) => path !== '/shops' && !query.has('since'));
  expect(inFull).toHaveLength(MORE);
});

interface Doing {
  readonly read: { readonly done: Record<string, JsonValue> };
}

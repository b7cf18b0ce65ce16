import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addMember } from '../../access/support/members.ts';
import { OPERATOR } from '../../access/support/people.ts';
import { openTestServer, type TestServer } from '../../http/testServer.ts';
import { useTestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { writeLogs } from '../support.ts';
import { type Follower, followEvents, followSocket } from './clients.ts';

const database = useTestDatabase();
let here: TestServer;
let there: TestServer;
let key: Record<string, string>;

beforeAll(async () => {
  here = await openTestServer(database.url, { workers: false });
  there = await openTestServer(database.url, { workers: false });
  key = { authorization: `Bearer ${here.app.secrets.apiKey}` };
});
afterAll(async () => {
  await here?.close();
  await there?.close();
});

const write = (...messages: string[]) =>
  writeLogs(
    database.current,
    messages.map((message) => ({ integrationId: 'int_live', message })),
  );

/** The program's own records come between these. */
const ofLive = { integrationId: 'int_live' };

const until = (follower: Follower, count: number) =>
  eventually(`${count} records`, () => follower.logs.length >= count);

const messages = ({ logs }: Follower) => logs.map(({ message }) => message);

describe.each([
  ['a WebSocket', followSocket],
  ['Server-Sent Events', followEvents],
] as const)('following over %s', (_name, follow) => {
  it('brings every record of every replica, in order, once', async () => {
    const followers = [
      await follow(here.url, { headers: key, query: ofLive }),
      await follow(there.url, { headers: key, query: ofLive }),
    ];
    const seqs: number[] = [];
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let batch = 0; batch < 10; batch++) {
        const app = writer % 2 === 0 ? here.app : there.app;
        seqs.push(
          ...(await writeLogs(
            app.database,
            Array.from({ length: 7 }, () => ({ integrationId: 'int_live', message: `${writer}` })),
          )),
        );
      }
    });
    await Promise.all(writers);
    for (const follower of followers) {
      await until(follower, 280);
      expect(follower.logs.map(({ seq }) => seq)).toEqual(seqs.sort((a, b) => a - b));
      expect(follower.gaps).toEqual([]);
    }
  });

  it('takes the filter of searches', async () => {
    const query = { searchQuery: 'apple AND NOT rotten', level: 'warn', integrationId: 'int_fruit' };
    const follower = await follow(here.url, { headers: key, query });
    const fruit = { integrationId: 'int_fruit', level: 'error' } as const;
    await writeLogs(database.current, [
      { ...fruit, message: 'an Apple' },
      { ...fruit, message: 'a rotten apple' },
      { ...fruit, message: 'a pear' },
      { ...fruit, message: 'an apple, only said', level: 'info' },
      { message: 'an apple of another', level: 'error' },
      { ...fruit, message: 'the last apple' },
    ]);
    await until(follower, 2);
    expect(messages(follower)).toEqual(['an Apple', 'the last apple']);
  });

  it('goes on where it was, whatever came meanwhile', async () => {
    const first = await follow(here.url, { headers: key, query: ofLive });
    await write('before');
    await until(first, 1);
    first.close();
    const meanwhile = Array.from({ length: 2_500 }, (_, index) => `meanwhile ${index}`);
    await write(...meanwhile);
    const second = await follow(there.url, { headers: key, query: { ...ofLive, since: String(first.seq()) } });
    await write('after');
    await until(second, 2_501);
    expect(messages(second)).toEqual([...meanwhile, 'after']);
    expect(second.gaps).toEqual([]);
  });

  it('answers a wrong search, and whoever may not, with a problem', async () => {
    await expect(follow(here.url, { headers: key, query: { searchQuery: 'levle:error' } })).rejects.toMatchObject({
      status: 400,
    });
    await expect(follow(here.url, { headers: key, query: { since: 'x' } })).rejects.toMatchObject({ status: 400 });
    await expect(follow(here.url)).rejects.toMatchObject({ status: 401 });
    const nobody = await addMember(here.app, 'none');
    await expect(follow(here.url, { headers: nobody.asKey })).rejects.toMatchObject({ status: 403 });
  });

  it('shows the records of integrations that may be seen, and no others', async () => {
    const mine = await addMember(here.app, 'developer');
    const { id } = await here.app.catalog.create({ name: 'Mine', platform: 'github', owner: mine.id });
    const other = await here.app.catalog.create({ name: 'Not mine', platform: 'github', owner: 'somebody' });
    const follower = await follow(here.url, { headers: mine.asKey });
    await writeLogs(database.current, [
      { integrationId: other.id, message: 'of another' },
      { message: 'of the system' },
      { integrationId: id, message: 'of mine' },
    ]);
    await until(follower, 1);
    // The same holds for what is brought forward.
    const again = await follow(here.url, { headers: mine.asKey, query: { since: '0' } });
    await until(again, 1);
    await writeLogs(database.current, [{ integrationId: id, message: 'of mine, too' }]);
    await until(follower, 2);
    await until(again, 2);
    expect(messages(follower)).toEqual(['of mine', 'of mine, too']);
    expect(messages(again)).toEqual(['of mine', 'of mine, too']);
  });

  it('ends when the session ends', async () => {
    const person = await addMember(here.app, 'viewer');
    const { headers, sessionId } = await person.begin();
    const follower = await follow(here.url, { headers });
    const other = await follow(here.url, { headers: (await person.begin()).headers });
    await there.app.access.accounts.sessions.end({ kind: 'user', userId: person.id, sessionId }, sessionId, {});
    await eventually('the end', () => follower.ended() !== null);
    expect(other.ended()).toBeNull();
  });

  it('ends when the user is frozen, and when they may see no logs any more', async () => {
    const frozen = await addMember(here.app, 'viewer');
    const changed = await addMember(here.app, 'viewer');
    await there.app.access.map.refresh();
    const one = await follow(there.url, { headers: frozen.asKey });
    const two = await follow(there.url, { headers: changed.asKey });
    await here.app.access.freezer.freeze({ principal: OPERATOR }, { userId: frozen.id }, 'a test');
    await eventually('the end', () => one.ended() !== null);
    await here.app.access.userRoles.setRole({ principal: OPERATOR }, changed.id, 'auditor');
    await eventually('the other end', () => two.ended() !== null);
  });

  it('ends when the server closes', async () => {
    const closing = await openTestServer(database.url, { workers: false });
    const follower = await follow(closing.url, { headers: key });
    await closing.close();
    await eventually('the end', () => follower.ended() !== null);
    if (follow === followSocket) expect(follower.ended()).toBe(1001);
  });
});

describe('a WebSocket', () => {
  it('is not opened for pages of other sites', async () => {
    const person = await addMember(here.app, 'viewer');
    const { headers } = await person.begin();
    const origin = { ...headers, origin: 'https://evil.example' };
    await expect(followSocket(here.url, { headers: origin })).rejects.toMatchObject({ status: 403 });
    const own = { ...headers, origin: here.url };
    expect((await followSocket(here.url, { headers: own })).ended()).toBeNull();
  });

  it('is asked for where a page comes instead', async () => {
    const answer = await here.request('GET', '/api/v1/logs/stream');
    expect(answer.status).toBe(426);
    expect(answer.json.code).toBe('UPGRADE_REQUIRED');
  });

  it('that sends more than anybody has to say is closed', async () => {
    const follower = await followSocket(here.url, { headers: key });
    follower.socket.send('x'.repeat(10_000));
    await eventually('the end', () => follower.ended() !== null);
  });
});

describe('Server-Sent Events', () => {
  it('resume after the last event, as browsers ask for it', async () => {
    const [seq] = await write('one', 'two', 'three');
    const follower = await followEvents(here.url, { headers: { ...key, 'last-event-id': String(seq) }, query: ofLive });
    await until(follower, 2);
    expect(messages(follower)).toEqual(['two', 'three']);
  });
});

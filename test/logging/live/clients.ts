import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { IntegrationLog } from '../../../src/logging/types.ts';
import { eventually } from '../../support/eventually.ts';

interface Gap {
  readonly fromSeq: number;
  readonly toSeq: number;
}

/** What somebody who follows has seen, in the order it came. */
export interface Follower {
  readonly logs: IntegrationLog[];
  readonly gaps: Gap[];
  /** Where to resume; null before the first message. */
  readonly seq: () => number | null;
  /** Why the connection ended; null while it has not. */
  readonly ended: () => number | null;
  close(): void;
}

interface FollowOptions {
  readonly query?: Record<string, string>;
  readonly headers?: Record<string, string>;
}

/** As a client should: on a machine that is busy with other suites the server may say that it has too much work. */
async function patiently<T>(open: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await open();
    } catch (error) {
      if ((error as { status?: number }).status !== 503 || tries === 20) throw error;
      await delay(1_000);
    }
  }
}

/** Opens a WebSocket, and resolves when it follows. Rejects with the status of an answer that is none. */
export const followSocket = (url: string, options: FollowOptions = {}) => patiently(() => openSocket(url, options));

/** Opens an event stream, and resolves when it follows. Rejects with the status of an answer that is none. */
export const followEvents = (url: string, options: FollowOptions = {}) => patiently(() => openEvents(url, options));

async function openSocket(
  url: string,
  { query = {}, headers = {} }: FollowOptions,
): Promise<Follower & { readonly socket: WebSocket }> {
  const address = `${url.replace('http', 'ws')}/api/v1/logs/stream?${new URLSearchParams(query)}`;
  const socket = new WebSocket(address, { headers });
  const seen = new Seen();
  let code: number | null = null;
  socket.on('message', (data) => seen.take(JSON.parse(String(data))));
  socket.on('close', (given) => {
    code = given;
  });
  onTestFinished(() => socket.terminate());
  await new Promise<void>((resolve, reject) => {
    socket.on('open', resolve);
    socket.on('error', reject);
    socket.on('unexpected-response', (_request, response) =>
      reject(Object.assign(new Error(`answered ${response.statusCode}`), { status: response.statusCode })),
    );
  });
  socket.on('error', () => {});
  await eventually('the stream to begin', () => seen.seq !== null || code !== null);
  return {
    socket,
    logs: seen.logs,
    gaps: seen.gaps,
    seq: () => seen.seq,
    ended: () => code,
    close: () => socket.close(),
  };
}

async function openEvents(url: string, { query = {}, headers = {} }: FollowOptions): Promise<Follower> {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const answer = await fetch(`${url}/api/v1/logs/events?${new URLSearchParams(query)}`, {
    headers,
    signal: abort.signal,
  });
  if (answer.status !== 200) throw Object.assign(new Error(await answer.text()), { status: answer.status });
  const seen = new Seen();
  let code: number | null = null;
  const read = async () => {
    let rest = '';
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      const events = (rest + chunk).split('\n\n');
      rest = events.pop()!;
      for (const event of events) {
        const data = event.split('\n').find((line) => line.startsWith('data: '));
        if (data !== undefined) seen.take(JSON.parse(data.slice(6)));
      }
    }
  };
  void read().then(
    () => {
      code = 0;
    },
    () => {
      code = 1;
    },
  );
  await eventually('the events to begin', () => seen.seq !== null);
  return { logs: seen.logs, gaps: seen.gaps, seq: () => seen.seq, ended: () => code, close: () => abort.abort() };
}

class Seen {
  readonly logs: IntegrationLog[] = [];
  readonly gaps: Gap[] = [];
  seq: number | null = null;

  take(message: { gap?: true; fromSeq?: number; toSeq?: number; seq?: number; logs?: IntegrationLog[] }): void {
    if (message.gap === true) {
      this.gaps.push({ fromSeq: message.fromSeq!, toSeq: message.toSeq! });
      this.seq = message.toSeq!;
      return;
    }
    this.logs.push(...message.logs!);
    this.seq = message.seq!;
  }
}

import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what each channel sends differs.
  readonly body: any;
}

/** A server on loopback that takes what channels send, and answers as it is told. */
export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** Status and headers of the next answers; 200 when there are none. */
  readonly answers: { readonly status: number; readonly headers?: Record<string, string>; readonly text?: string }[];
}

/** Makes receivers, which are closed after each test. */
export function useReceivers(): () => Promise<Receiver> {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  return async () => {
    const received: Received[] = [];
    const answers: Receiver['answers'][number][] = [];
    const server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        received.push({ path: request.url!, headers: request.headers, text, body: JSON.parse(text) });
        const { status, headers = {}, text: answer = '' } = answers.shift() ?? { status: 200 };
        response.writeHead(status, headers).end(answer);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(
      () =>
        new Promise((resolve) => {
          server.closeAllConnections();
          server.close(() => resolve());
        }),
    );
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received, answers };
  };
}

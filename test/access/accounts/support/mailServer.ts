import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

export interface MailServer {
  readonly url: string;
  /** What it took, as it came. */
  readonly mails: { readonly to: string; readonly text: string }[];
  /** While set, it answers every e-mail with this temporary failure. */
  failure: string | null;
  close(): Promise<void>;
}

/** A real SMTP server on loopback that keeps what it gets. `port` 0: any free one. */
export async function openMailServer(port = 0): Promise<MailServer> {
  const mails: { to: string; text: string }[] = [];
  const state = { failure: null as string | null };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        if (state.failure !== null) return done(Object.assign(new Error(state.failure), { responseCode: 451 }));
        const to = session.envelope.rcptTo.map(({ address }) => address).join();
        mails.push({ to, text: decode(Buffer.concat(chunks).toString()) });
        done();
      });
    },
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${address.port}`,
    mails,
    get failure() {
      return state.failure;
    },
    set failure(text) {
      state.failure = text;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Undoes quoted-printable, which breaks long lines. */
function decode(raw: string): string {
  return raw
    .replaceAll('=\r\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

import type { Transporter } from 'nodemailer';
import { errorMessage } from '../../core/errors.ts';
import { lazy } from '../../core/lazy.ts';
import { EmailNotSentError } from './errors.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 20_000;

export interface Email {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** Of what may be sent twice, so that mail programs show it once; without angle brackets. */
  readonly messageId?: string;
  /** An id that is not sent as a message: what names the same is shown as one conversation. */
  readonly thread?: string;
}

export interface MailSettings {
  /** `smtp://` or `smtps://`, with user and password where needed. */
  readonly url: string;
  readonly from: string;
}

/**
 * Hands e-mails to a mail server. Outside this machine the connection must be encrypted, unless the address ends
 * with `?requireTLS=false`: e-mails carry links that open accounts.
 */
export class Mailer {
  readonly #transport: () => Promise<Transporter>;
  readonly #from: string;

  constructor({ url, from }: MailSettings) {
    this.#from = from;
    const address = withRequiredTls(url);
    this.#transport = lazy(async () => {
      // Loaded with the first e-mail: many installations send none.
      const { createTransport } = await import('nodemailer');
      return createTransport({
        url: address,
        connectionTimeout: CONNECT_TIMEOUT_MS,
        greetingTimeout: CONNECT_TIMEOUT_MS,
        socketTimeout: IDLE_TIMEOUT_MS,
        disableFileAccess: true,
        disableUrlAccess: true,
      });
    });
  }

  /** Resolves when the server has taken it over. @throws EmailNotSentError */
  async send({ to, subject, text, messageId, thread }: Email): Promise<void> {
    try {
      const transport = await this.#transport();
      await transport.sendMail({
        from: this.#from,
        to: { name: '', address: to },
        subject,
        text,
        ...(messageId === undefined ? {} : { messageId: `<${messageId}>` }),
        ...(thread === undefined ? {} : { references: `<${thread}>` }),
      });
    } catch (error) {
      throw new EmailNotSentError(`The mail server did not take an e-mail: ${errorMessage(error)}`, { cause: error });
    }
  }
}

function withRequiredTls(text: string): string {
  const url = new URL(text);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const onThisMachine = host === 'localhost' || host === '::1' || host.startsWith('127.');
  if (!url.searchParams.has('requireTLS') && !onThisMachine) url.searchParams.set('requireTLS', 'true');
  return url.href;
}

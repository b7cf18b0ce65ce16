import { liveSecrets } from '../redaction/knownSecrets.ts';
import { hideSecrets } from './hideSecrets.ts';
import type { OutgoingCall, OutgoingRequest } from './types.ts';

/** What is shorter is not learnt from a request: it would be found by accident. */
const MIN_CHARS = 6;
const MAX_SHOWN_CHARS = 300;
const MAX_READ_CHARS = 10_000;

/** Headers that say nothing private, so they may go to any origin and into no error either. */
const PUBLIC_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'content-type',
  'if-modified-since',
  'if-none-match',
  'user-agent',
]);
/** Names of headers and form fields whose values are secret. */
const SECRET_NAME = /auth|cookie|secret|token|password|code|assertion|key|signature/i;

/** The headers of a call that an origin may see which is not the one they were meant for. */
export function publicHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => PUBLIC_HEADERS.has(name)));
}

/** The secret values that one call carries, learnt from what was put into its requests. */
export class CallSecrets {
  readonly #values = new Set<string>();

  /** What the caller itself put in: what it names, headers with such names, such form fields of a token request. */
  learnFromCall({ headers = {}, body, operation, secrets = [] }: OutgoingCall): void {
    for (const secret of secrets) {
      this.#values.add(secret);
      liveSecrets.add(secret);
    }
    for (const [name, value] of Object.entries(headers)) if (SECRET_NAME.test(name)) this.#add(value);
    if (operation !== 'token' || body === undefined) return;
    for (const [name, value] of new URLSearchParams(body.toString())) if (SECRET_NAME.test(name)) this.#add(value);
  }

  /** What an authenticator put in: the headers and query parameters that were not there before it. */
  learnFromCredential(before: OutgoingRequest, after: OutgoingRequest): void {
    for (const [name, value] of Object.entries(after.headers)) if (before.headers[name] !== value) this.#add(value);
    for (const [name, value] of after.url.searchParams) {
      if (!before.url.searchParams.has(name, value)) this.#add(value);
    }
  }

  /** Takes query parameters out that hold one of the secrets. */
  strip(url: URL): void {
    for (const [name, value] of [...url.searchParams])
      if (this.#values.has(value)) url.searchParams.delete(name, value);
  }

  /** The text without the secrets. */
  hide(text: string): string {
    return hideSecrets(text, this.#values);
  }

  /** A provider's words, fit for an error: one short line, without the secrets and without the query of any address. */
  redact(text: string): string {
    const shown = this.hide(text.slice(0, MAX_READ_CHARS))
      .replace(/(https?:\/\/[^\s?#"'<>]*)[?#][^\s"'<>]*/gi, '$1')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
      .replace(/[\u0000-\u001f\u007f]+/g, ' ')
      .trim();
    return shown.length > MAX_SHOWN_CHARS ? `${shown.slice(0, MAX_SHOWN_CHARS)}…` : shown;
  }

  #add(value: string): void {
    const [scheme = '', ...rest] = value.split(' ');
    const token = rest.join(' ');
    const parts = [value, token];
    if (scheme.toLowerCase() === 'basic') {
      const [user = '', ...password] = Buffer.from(token, 'base64').toString().split(':');
      parts.push(password.join(':'));
      // Where the password is none, the key is in the user name; else that is only a name.
      if (password.join(':').length < MIN_CHARS) parts.push(user);
    }
    for (const part of parts) {
      if (part.length < MIN_CHARS) continue;
      this.#values.add(part);
      liveSecrets.add(part);
    }
  }
}

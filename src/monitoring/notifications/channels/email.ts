import type { Mailer } from '../../../access/accounts/mailer.ts';
import { plainText, titleOf } from '../messageText.ts';
import type { DeliveryResult, OpenChannel, Outbound } from './types.ts';

/** One e-mail to each address. An attempt after a failure goes to all of them again, under the same Message-ID. */
export async function sendEmail(
  mailer: Mailer | null,
  { settings }: OpenChannel,
  { id, message }: Outbound,
  deadlineMs: number,
): Promise<DeliveryResult> {
  const failed = (detail: string, retryable: boolean): DeliveryResult => {
    return { ok: false, retryable, status: null, retryAfterMs: null, detail };
  };
  if (mailer === null) return failed('No mail server is configured: set SMTP_URL and SMTP_FROM.', true);
  const to = settings.to ?? [];
  const email = {
    subject: titleOf(message),
    text: `${plainText(message)}\n`,
    thread: `${message.groupId}@integration-services`,
  };
  const sending = Promise.allSettled(
    to.map((address, at) => mailer.send({ ...email, to: address, messageId: `${id}.${at}@integration-services` })),
  );
  const results = await withDeadline(sending, deadlineMs);
  if (results === null) return failed(`The mail server took longer than ${deadlineMs} ms.`, true);
  const refused = results.filter((result) => result.status === 'rejected');
  if (refused.length === 0) {
    const detail = `The mail server took it for ${to.length === 1 ? 'one address' : `${to.length} addresses`}.`;
    return { ok: true, retryable: false, status: null, retryAfterMs: null, detail };
  }
  const reason = refused[0]!.reason as Error & { cause?: { responseCode?: number } };
  const code = reason.cause?.responseCode;
  const all = refused.length === to.length ? '' : ` (${refused.length} of ${to.length} addresses)`;
  // 5xx says that the same e-mail would be refused again (RFC 5321, section 4.2.1); wrong passwords get mended.
  return failed(`${reason.message}${all}`, code === undefined || code < 500 || code === 535);
}

async function withDeadline<T>(promise: Promise<T>, deadlineMs: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, deadlineMs, null);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

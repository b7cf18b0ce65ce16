import { createHash } from 'node:crypto';
import { networkOf } from '../../core/network.ts';
import type { ThrottleSubject } from './throttle.ts';

/** How well the network that an attempt comes from is known to the account. */
export type Acquaintance =
  /** The user signed in from there in the last 30 days. */
  | 'known'
  /** It failed on this account in the last minutes. */
  | 'failed'
  | 'new';

const MAX_WAIT_SECONDS = 60;

/**
 * What a failed login counts for: the network, this account from this network, and this account from all networks
 * of the same acquaintance together. Those that failed before share a lane, those that never did another one, and
 * known ones have none: so whoever guesses slows down other guessers, and not the person whose account it is.
 */
export function loginSubjects(account: string, network: string, acquaintance: Acquaintance): ThrottleSubject[] {
  const subjects = [
    { subject: `network:${network}`, threshold: 20, maxWaitSeconds: MAX_WAIT_SECONDS },
    { subject: pairSubject(account, network), threshold: 5, maxWaitSeconds: MAX_WAIT_SECONDS },
  ];
  if (acquaintance === 'known') return subjects;
  const threshold = acquaintance === 'failed' ? 5 : 10;
  return [...subjects, { subject: `account:${account}:${acquaintance}`, threshold, maxWaitSeconds: MAX_WAIT_SECONDS }];
}

/** Failures on one account from one network. */
export function pairSubject(account: string, network: string): string {
  return `pair:${account}@${network}`;
}

/** Wrong second factors of a user. Whoever gets here knows the password, so the waits grow longer. */
export function secondFactorSubject(userId: string): ThrottleSubject {
  return { subject: `secondFactor:${userId}`, threshold: 5, maxWaitSeconds: 300 };
}

/** Requests for e-mails, and links that are not valid, from one network. */
export function linkSubject(address: string | undefined): ThrottleSubject {
  return { subject: `links:${networkOf(address ?? 'unknown')}`, threshold: 20, maxWaitSeconds: MAX_WAIT_SECONDS };
}

/** Wrong present passwords with a session that exists: somebody may sit at a computer that was left alone. */
export function passwordSubject(userId: string): ThrottleSubject {
  return { subject: `password:${userId}`, threshold: 5, maxWaitSeconds: MAX_WAIT_SECONDS };
}

/** An account as the throttle names it. Only a hash: sometimes a password is typed where the address belongs. */
export function accountName(emailKey: string): string {
  return createHash('sha256').update(emailKey).digest('base64url').slice(0, 22);
}

import type { Clock } from '../core/clock.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import type { Outcome, SendOutgoing } from '../outgoing/types.ts';
import type { Connector } from './format.ts';
import type { AnswerValidators } from './validators.ts';

/** Everything a connector needs to talk to its API for one integration, during one operation. */
export interface ConnectorSession {
  readonly connector: Connector;
  readonly integrationId: string;
  readonly operationId: string;
  /** Connection fields, with the connector's defaults filled in. */
  readonly connection: Readonly<Record<string, string | number | boolean>>;
  /** ISO 8601, for the first run of incremental streams. */
  readonly startDate?: string;
  readonly authMode?: string;
  readonly credentials: Readonly<Record<string, string>>;
  /** Changes with the credentials; without them there is none. */
  readonly credentialVersion?: string;
  /** Whether a read may ask only if the answer is still the one that is known. */
  readonly cacheValidators?: boolean;
  readonly budgets?: readonly { readonly maxRequests: number; readonly windowMs: number }[];
  readonly send: SendOutgoing;
  readonly clock: Clock;
}

/** What a stored state depends on: whose data is read, by which description, from when. */
export type ReadSource = Pick<ConnectorSession, 'connector' | 'connection' | 'startDate' | 'clock'>;

/** The answer to "do these credentials work?" */
export interface CheckResult {
  /** `public_endpoint`: the same request without credentials got the same answer, so it proves nothing. */
  readonly outcome: Outcome | 'public_endpoint';
  readonly httpStatus?: number;
  readonly url?: string;
  readonly account?: string;
  readonly missingScopes?: readonly string[];
  readonly providerCode?: string;
  readonly providerMessage?: string;
  readonly retryAfterMs?: number;
  readonly attempts?: number;
}

export interface StreamRecord {
  /** The primary key as text; parts of a composite key as a JSON array. */
  readonly key: string;
  readonly data: JsonObject;
  /** The provider says that this record is gone. */
  readonly deleted?: boolean;
}

/** One page of a stream. */
export interface StreamPage {
  readonly records: readonly StreamRecord[];
  /**
   * Where to go on: opaque JSON, stored in the transaction that stores the records. `readStream` with it
   * yields the pages after this one. After the last page it is where the *next* run starts.
   */
  readonly state: JsonValue;
  /** The last page of this read. */
  readonly last: boolean;
  /** Of the one answer that this read was; the next read may be given them. */
  readonly validators?: AnswerValidators;
  /** The provider says that the answer is still the one with the validators given: nothing came, nothing changed. */
  readonly notModified?: boolean;
}

export interface ReadOptions {
  readonly stream: string;
  /** As of the last page written; null for the first read or to start over (full refresh). */
  readonly state: JsonValue | null;
  readonly signal: AbortSignal;
  /** Of the last read, when that is what is stored; sent if this one is the same request. */
  readonly known?: AnswerValidators;
}

/** How a read that starts from `state` is to be taken. */
export interface ReadPlan {
  /**
   * `full`: when the read completes, a record it did not yield no longer exists upstream.
   * `incremental`: only what changed comes; nothing follows from absence.
   */
  readonly kind: 'full' | 'incremental';
  /** True when `state` is in the middle of a read, so that going on completes the same read. */
  readonly resumes: boolean;
}

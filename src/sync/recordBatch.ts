import { hash } from 'node:crypto';
import type { StreamPage, StreamRecord } from '../connectors/types.ts';
import type { JsonValue } from '../core/json.ts';
import { LIMITS } from '../core/limits.ts';
import { canonicalJson, JsonTooDeepError, MAX_JSON_DEPTH, storableText } from './canonicalJson.ts';
import { RecordRejectedError } from './errors.ts';

/** What fits into PostgreSQL's index entries (2.7 kB) beside the ids. */
const MAX_KEY_BYTES = 2_000;

/** A batch is written when one of these is reached or its oldest page has waited long enough. */
const BATCH_RECORDS = 1_000;
const BATCH_BYTES = 4 * 1024 * 1024;

/** A record as it goes to the database. */
export interface PreparedRecord {
  readonly key: Buffer;
  /** Canonical JSON in UTF-8. */
  readonly data: Buffer;
  /** SHA-256 of `data`. */
  readonly contentHash: Buffer;
  readonly gone: boolean;
}

const EMPTY_OBJECT = Buffer.from('{}');
const NO_HASH = Buffer.alloc(0);

/** Pages of one stream that are written in one transaction. Holds their records as bytes, each key once. */
export class RecordBatch {
  readonly #records = new Map<string, PreparedRecord>();
  pages = 0;
  /** Records that came, a key that came twice counted twice. */
  recordsRead = 0;
  sizeBytes = 0;
  /** Records in which characters or numbers were replaced. */
  replaced = 0;
  state: JsonValue = null;
  last = false;

  /** @throws RecordRejectedError */
  add(page: StreamPage, stream: string): void {
    for (const record of page.records) {
      const key = storableText(record.key);
      const prepared = this.#prepare(record, key, stream);
      // The last of a key wins, as it would in transactions of their own.
      this.#records.set(key, prepared);
      this.sizeBytes += prepared.data.length;
    }
    this.pages += 1;
    this.recordsRead += page.records.length;
    this.state = page.state;
    this.last = page.last;
  }

  get full(): boolean {
    return this.#records.size >= BATCH_RECORDS || this.sizeBytes >= BATCH_BYTES;
  }

  /** In portions that one statement takes. */
  *portions(): Generator<PreparedRecord[]> {
    let portion: PreparedRecord[] = [];
    let sizeBytes = 0;
    for (const record of this.#records.values()) {
      portion.push(record);
      sizeBytes += record.data.length;
      if (portion.length < BATCH_RECORDS && sizeBytes < BATCH_BYTES) continue;
      yield portion;
      portion = [];
      sizeBytes = 0;
    }
    if (portion.length > 0) yield portion;
  }

  #prepare(record: StreamRecord, text: string, stream: string): PreparedRecord {
    const key = Buffer.from(text);
    if (key.length > MAX_KEY_BYTES)
      throw rejected(stream, text, `its key has ${key.length} bytes; at most ${MAX_KEY_BYTES} are stored`);
    if (record.deleted) return { key, data: EMPTY_OBJECT, contentHash: NO_HASH, gone: true };
    const canonical = canonicalData(record, stream, text);
    if (canonical.replaced || text !== record.key) this.replaced += 1;
    const data = Buffer.from(canonical.text);
    if (data.length > LIMITS.recordBytes)
      throw rejected(stream, text, `it has ${data.length} bytes; at most ${LIMITS.recordBytes} are stored`);
    return { key, data, contentHash: hash('sha256', data, 'buffer'), gone: false };
  }
}

function canonicalData(record: StreamRecord, stream: string, key: string) {
  try {
    return canonicalJson(record.data);
  } catch (error) {
    if (!(error instanceof JsonTooDeepError)) throw error;
    throw rejected(stream, key, `it is nested deeper than ${MAX_JSON_DEPTH} levels`);
  }
}

function rejected(stream: string, key: string, why: string): RecordRejectedError {
  const shown = key.length > 100 ? `${key.slice(0, 100)}…` : key;
  return new RecordRejectedError(
    `Record ${JSON.stringify(shown)} of the stream ${JSON.stringify(stream)} cannot be stored: ${why}. Leave the field or the record out with a transformation or filter in the connector.`,
    { details: { stream, key: shown } },
  );
}

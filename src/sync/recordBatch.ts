import { hash } from 'node:crypto';
import type { StreamPage, StreamRecord } from '../connectors/types.ts';
import type { AnswerValidators } from '../connectors/validators.ts';
import {
  type CanonicalJson,
  canonicalJson,
  JsonTooDeepError,
  MAX_JSON_DEPTH,
  storableText,
} from '../core/canonicalJson.ts';
import type { JsonValue } from '../core/json.ts';
import { LIMITS } from '../core/limits.ts';
import { BinaryArray } from './binaryArray.ts';
import { RecordRejectedError } from './errors.ts';

/** What fits into PostgreSQL's index entries (2.7 kB) beside the ids. */
const MAX_KEY_BYTES = 2_000;

/** A batch is written when one of these is reached, or its oldest page has waited long enough. */
const BATCH_RECORDS = 1_000;
const BATCH_BYTES = 4 * 1024 * 1024;

/** What to do with a record of a portion. */
const FATE = { store: 0, delete: 1, superseded: 2 } as const;

/** Records that one statement takes, column by column. */
export class RecordPortion {
  readonly keys = new BinaryArray('text');
  readonly data = new BinaryArray('jsonb');
  /** SHA-256 of the canonical JSON. */
  readonly contentHashes = new BinaryArray('bytea');
  /** 0: store; 1: the provider says that it is gone; 2: the same key came again. */
  readonly fates = new BinaryArray('int2');
  count = 0;
  sizeBytes = 0;

  get full(): boolean {
    return this.count >= BATCH_RECORDS || this.sizeBytes >= BATCH_BYTES;
  }

  clear(): void {
    for (const array of [this.keys, this.data, this.contentHashes, this.fates]) array.clear();
    this.count = 0;
    this.sizeBytes = 0;
  }
}

/** Pages of one stream that are written in one transaction. Used again after `clear`. */
export class RecordBatch {
  readonly #portions: RecordPortion[] = [new RecordPortion()];
  readonly #places = new Map<string, { portion: RecordPortion; index: number }>();
  pages = 0;
  /** Records that came, a key that came twice counted twice. */
  recordsRead = 0;
  /** Records in which characters or numbers were replaced. */
  replaced = 0;
  state: JsonValue = null;
  last = false;
  /** Of the page, if it is the only one of its read. */
  validators: AnswerValidators | undefined;
  /** The read ended with what is stored. */
  notModified = false;

  /** @throws RecordRejectedError */
  add(page: StreamPage, stream: string): void {
    for (const record of page.records) this.#add(record, stream);
    this.pages += 1;
    this.recordsRead += page.records.length;
    this.state = page.state;
    this.last = page.last;
    this.validators = page.validators;
    this.notModified = page.notModified === true;
  }

  get full(): boolean {
    return this.#portions.length > 1 || this.#portions[0]!.full;
  }

  /** One, but for pages that are larger than a batch. */
  get portions(): readonly RecordPortion[] {
    return this.#portions;
  }

  clear(): void {
    this.#portions.length = 1;
    this.#portions[0]!.clear();
    this.#places.clear();
    this.pages = 0;
    this.recordsRead = 0;
    this.replaced = 0;
    this.state = null;
    this.last = false;
    this.validators = undefined;
    this.notModified = false;
  }

  #add(record: StreamRecord, stream: string): void {
    const key = storableText(record.key);
    const { text, replaced } = record.deleted ? NOTHING : canonicalData(record, stream, key);
    if (replaced || key !== record.key) this.replaced += 1;

    if (this.#portions.at(-1)!.full) this.#portions.push(new RecordPortion());
    const portion = this.#portions.at(-1)!;
    const keyBytes = portion.keys.push(key, 'utf8');
    if (keyBytes > MAX_KEY_BYTES)
      throw rejected(stream, key, `its key has ${keyBytes} bytes; at most ${MAX_KEY_BYTES} are stored`);
    const dataBytes = portion.data.push(text, 'utf8');
    if (dataBytes > LIMITS.recordBytes)
      throw rejected(stream, key, `it has ${dataBytes} bytes; at most ${LIMITS.recordBytes} are stored`);
    portion.contentHashes.push(record.deleted ? '' : hash('sha256', text, 'binary'), 'latin1');
    portion.fates.pushInt2(record.deleted ? FATE.delete : FATE.store);

    // The last of a key wins, as it would in transactions of their own.
    const earlier = this.#places.get(key);
    earlier?.portion.fates.setInt2(earlier.index, FATE.superseded);
    this.#places.set(key, { portion, index: portion.count });
    portion.count += 1;
    portion.sizeBytes += dataBytes;
  }
}

const NOTHING: CanonicalJson = { text: '{}', replaced: false };

function canonicalData(record: StreamRecord, stream: string, key: string): CanonicalJson {
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

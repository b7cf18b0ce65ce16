import type pg from 'pg';

/** What of the driver's connection is used here; its types leave these out. */
interface Connection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
}

/** A line of this alone ends a COPY, whatever follows. */
const END = Buffer.from('\\.\n');
/** SQLSTATE bad_copy_file_format. */
const BAD_FORMAT = '22P04';

/**
 * Statements of which a SELECT gives a row if a COPY FROM STDIN after it is to take place, sent to the server as one:
 * so that the process, which may be busy, has to answer once in a transaction instead of before every statement.
 */
export class GuardedCopy implements pg.Submittable {
  readonly #text: string;
  readonly #lines: Buffer;
  readonly #done = Promise.withResolvers<boolean>();
  #connection: Connection | null = null;
  #mayCopy = false;
  #withheld = false;

  private constructor(text: string, lines: Buffer) {
    this.#text = text;
    this.#lines = lines;
  }

  /**
   * Runs the statements.
   * @returns false when the SELECT gave no row; then the transaction has failed and is to be rolled back
   * @throws whatever the server says
   */
  static async run(client: pg.PoolClient, text: string, lines: Buffer): Promise<boolean> {
    if (lines.subarray(0, END.length).equals(END) || lines.includes(`\n${END}`))
      throw Object.assign(new Error('A line ends the data.'), { code: BAD_FORMAT });
    const copy = new GuardedCopy(text, lines);
    client.query(copy);
    return copy.#done.promise;
  }

  /** The driver puts its own here, which ends the wait when the query takes too long. */
  callback(): void {}

  submit(connection: pg.Connection): void {
    this.#connection = connection as unknown as Connection;
    this.#connection.query(this.#text);
  }

  handleRowDescription(): void {}

  handleDataRow(): void {
    this.#mayCopy = true;
  }

  handleCommandComplete(): void {}

  handleCopyInResponse(): void {
    const connection = this.#connection!;
    if (this.#mayCopy) {
      connection.sendCopyFromChunk(this.#lines);
      connection.endCopyFrom();
    } else {
      this.#withheld = true;
      connection.sendCopyFail('The lines are withheld.');
    }
  }

  /** Of the server, or of a connection that was lost. */
  handleError(error: Error): void {
    this.callback();
    if (this.#withheld) this.#done.resolve(false);
    else this.#done.reject(error);
  }

  handleReadyForQuery(): void {
    this.callback();
    this.#done.resolve(true);
  }
}

import type pg from 'pg';

/** What of the driver's connection is used here; its types leave these out. */
interface Connection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
}

/**
 * Statements of which a SELECT gives one number and a COPY FROM STDIN takes what is made of it, sent to the server as
 * one: so that the process, which may be busy, has to answer once in a transaction instead of before every statement.
 */
export class NumberedCopy implements pg.Submittable {
  readonly #text: string;
  readonly #linesFrom: (first: number) => Buffer;
  readonly #done = Promise.withResolvers<number | null>();
  #connection: Connection | null = null;
  #first: number | null = null;
  /** Why the lines were not sent, where that is no fault of the server's: `null` for no number. */
  #withheld: { readonly error: Error | null } | null = null;

  private constructor(text: string, linesFrom: (first: number) => Buffer) {
    this.#text = text;
    this.#linesFrom = linesFrom;
  }

  /**
   * Runs the statements.
   * @param linesFrom makes the lines when the number is known; not called when there was none
   * @returns the number; null when the SELECT gave no row, and then the transaction has failed and is to be rolled back
   */
  static run(client: pg.PoolClient, text: string, linesFrom: (first: number) => Buffer): Promise<number | null> {
    const copy = new NumberedCopy(text, linesFrom);
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

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    this.#first = Number(fields[0]);
  }

  handleCommandComplete(): void {}

  handleCopyInResponse(): void {
    const connection = this.#connection!;
    try {
      if (this.#first === null) this.#withheld = { error: null };
      else {
        connection.sendCopyFromChunk(this.#linesFrom(this.#first));
        connection.endCopyFrom();
      }
    } catch (error) {
      this.#withheld = { error: error as Error };
    }
    if (this.#withheld !== null) connection.sendCopyFail('The lines are withheld.');
  }

  /** Of the server, or of a connection that was lost. */
  handleError(error: Error): void {
    this.callback();
    if (this.#withheld?.error === null) this.#done.resolve(null);
    else this.#done.reject(this.#withheld?.error ?? error);
  }

  handleReadyForQuery(): void {
    this.callback();
    this.#done.resolve(this.#first);
  }
}

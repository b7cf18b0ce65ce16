type Fields = Readonly<Record<string, unknown>>;

/** Where a part says what happened. Fields carry no secrets. */
export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

/** For callers that do not listen, such as tests. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

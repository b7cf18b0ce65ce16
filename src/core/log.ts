type Fields = Readonly<Record<string, unknown>>;

/** Where a part says what happened. Fields carry no secrets. */
export interface Log {
  /** Whether debug and verbose records of this integration, or of the system, go anywhere: to spare what they cost. */
  readonly isVerbose?: (integrationId?: string) => boolean;
  debug(message: string, fields?: Fields): void;
  verbose(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  critical(message: string, fields?: Fields): void;
}

/** For callers that do not listen, such as tests. */
export const silentLog: Log = {
  debug() {},
  verbose() {},
  info() {},
  warn() {},
  error() {},
  critical() {},
};

/** The bounds of records and of what holds them. */
export const LOG_LIMITS = {
  messageChars: 8_000,
  /** Of event names and of the ids of operations, requests, traces and spans. */
  wordChars: 200,
  textChars: 4_000,
  nameChars: 100,
  /** Of one record's attributes, as JSON. */
  attributesChars: 16_000,
  /** Entries of one array or object. */
  entries: 200,
  depth: 8,
  stackLines: 30,
} as const;

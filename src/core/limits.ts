/** The bounds everything stays within, in one place; units are in the names. */
export const LIMITS = {
  nameChars: 200,
  configurationBytes: 256 * 1024,
  credentialsBytes: 64 * 1024,
  requestBodyBytes: 1024 * 1024,
  pageSizeDefault: 50,
  pageSizeMax: 200,
  recordsPageSizeMax: 1000,
  /** One response of a third party, after decompression. */
  responseBodyBytes: 32 * 1024 * 1024,
  recordBytes: 4 * 1024 * 1024,
  connectorBytes: 256 * 1024,
} as const;

/** What a command ends with; docs/cli.md lists them. */
export const EXIT = {
  /** It ran and the answer is no: a test, a sync or a check that failed, or a part that cannot be reached. */
  failed: 1,
  /** The command or its input is wrong; nothing was done. */
  usage: 2,
  /** Ctrl-C. */
  interrupted: 130,
  /** SIGTERM. */
  terminated: 143,
} as const;

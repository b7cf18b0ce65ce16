/** What a check of `doctor` found. */
export interface Finding {
  readonly check: string;
  /** `warn`: it works now but should be looked at; `fail`: it does not work. */
  readonly state: 'pass' | 'warn' | 'fail';
  readonly observed: string;
  /** What to do; absent when all is well. */
  readonly advice?: string;
}

export function pass(check: string, observed: string): Finding {
  return { check, state: 'pass', observed };
}

export function warn(check: string, observed: string, advice: string): Finding {
  return { check, state: 'warn', observed, advice };
}

export function fail(check: string, observed: string, advice: string): Finding {
  return { check, state: 'fail', observed, advice };
}

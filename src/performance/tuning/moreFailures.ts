/** Calls or runs of a period, and how many of them failed. */
export interface Failures {
  readonly count: number;
  readonly failed: number;
}

/**
 * Fisher's exact test, one-sided: the probability that at least as many of the failures fall into `after`, were a
 * failure as likely in both periods.
 */
export function moreFailures(before: Failures, after: Failures): number {
  const all = before.count + after.count;
  const failed = before.failed + after.failed;
  const most = Math.min(failed, after.count);
  const denominator = logChoose(all, failed);
  let probability = 0;
  for (let inAfter = after.failed; inAfter <= most; inAfter++) {
    const elsewhere = failed - inAfter;
    if (elsewhere > before.count) continue;
    probability += Math.exp(logChoose(after.count, inAfter) + logChoose(before.count, elsewhere) - denominator);
  }
  return Math.min(1, probability);
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

/** Stirling's series, whose error is below 1e-10 from 16 on; summed below. */
function logFactorial(n: number): number {
  if (n < 16) {
    let sum = 0;
    for (let factor = 2; factor <= n; factor++) sum += Math.log(factor);
    return sum;
  }
  return n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) + 1 / (12 * n) - 1 / (360 * n ** 3);
}

/**
 * The probability that a standard normal number exceeds `z` ≥ 0. Abramowitz and Stegun 7.1.26 gives too few digits in
 * the tail; this is the continued fraction of Laplace from 3 on, and the series of the error function below.
 */
export function normalTail(z: number): number {
  const density = Math.exp(-(z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z < 3) {
    let term = z;
    let sum = z;
    for (let odd = 3; term > 1e-17 * sum; odd += 2) {
      term *= (z * z) / odd;
      sum += term;
    }
    return 0.5 - density * sum;
  }
  let fraction = z;
  for (let step = 60; step > 0; step--) fraction = z + step / fraction;
  return density / fraction;
}

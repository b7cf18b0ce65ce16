import { medianOf, type Sample } from '../trend.ts';

const HOUR_MS = 3_600_000;
const HOURS = 24;
/** Days in which an hour has to be seen before its part of the season is believed. */
const DAYS_TO_BELIEVE = 3;
/** The season is taken out when that makes the differences between neighbouring hours smaller by this factor. */
const WORTH_IT = 0.8;

/**
 * Takes the course of the day (UTC) out of hourly values, so that equal hours are compared: each value is divided by
 * what its hour usually is against the median of its day. A level that shifts from one day to the next stays, because
 * each day is compared with itself. Series without such a course, too short, or with a value of 0 are given back as
 * they are.
 */
export function withoutSeason(samples: readonly Sample[]): { samples: readonly Sample[]; seasonal: boolean } {
  const asIs = { samples, seasonal: false };
  if (samples.some(({ value }) => !(value > 0))) return asIs;
  const ratios = Array.from({ length: HOURS }, (): number[] => []);
  for (const day of Map.groupBy(samples, ({ timeMs }) => Math.floor(timeMs / HOUR_MS / HOURS)).values()) {
    if (day.length < HOURS / 2) continue;
    const usual = Math.log(medianOf(day.map(({ value }) => value)));
    for (const { timeMs, value } of day) ratios[hourOf(timeMs)]!.push(Math.log(value) - usual);
  }
  const present = new Set(samples.map(({ timeMs }) => hourOf(timeMs)));
  if ([...present].some((hour) => ratios[hour]!.length < DAYS_TO_BELIEVE)) return asIs;
  const season = ratios.map((values) => (values.length === 0 ? 0 : medianOf(values)));
  const adjusted = samples.map(({ timeMs, value }) => ({
    timeMs,
    value: Math.exp(Math.log(value) - season[hourOf(timeMs)]!),
  }));
  return roughness(adjusted) < WORTH_IT * roughness(samples) ? { samples: adjusted, seasonal: true } : asIs;
}

/** Mean distance of a value from the median of its day, in the logarithm. */
function roughness(samples: readonly Sample[]): number {
  let sum = 0;
  for (const day of Map.groupBy(samples, ({ timeMs }) => Math.floor(timeMs / HOUR_MS / HOURS)).values()) {
    const usual = Math.log(medianOf(day.map(({ value }) => value)));
    for (const { value } of day) sum += Math.abs(Math.log(value) - usual);
  }
  return sum / samples.length;
}

function hourOf(timeMs: number): number {
  return Math.floor(timeMs / HOUR_MS) % HOURS;
}

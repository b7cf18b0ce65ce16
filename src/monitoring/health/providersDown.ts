/** Outcomes that speak of the provider, not of one customer's credentials or settings. */
export const OUTAGES: readonly string[] = [
  'timeout',
  'unreachable',
  'dns_error',
  'tls_error',
  'provider_error',
  'circuit_open',
];

const MIN_FAILING = 3;
/** From here on a provider is taken to be down. */
export const OUTAGE_PERCENT = 60;

/** Integrations of one platform that were looked at lately, by how that ended. */
export interface PlatformLook {
  readonly platform: string;
  readonly outcome: string | null;
  readonly state: 'pass' | 'warn' | 'fail' | 'unknown';
  readonly count: number;
}

/** A provider that is taken to be down itself: its integrations fail for it, not by themselves. */
export interface ProviderDown {
  readonly platform: string;
  /** Of `looked` integrations, so many fail with an outage. */
  readonly failing: number;
  readonly looked: number;
  /** How most of them end. */
  readonly outcome: string;
}

export function isOutage(outcome: string | null): boolean {
  return outcome !== null && OUTAGES.includes(outcome);
}

/** The share of a platform's integrations that fail with an outage; 0 as long as these are fewer than three. */
export function outagePercent(failing: number, looked: number): number {
  return failing < MIN_FAILING ? 0 : (100 * failing) / looked;
}

/** A provider is down when at least three of its integrations, and 60 % of those looked at, fail with an outage. */
export function providersDown(looks: readonly PlatformLook[]): ProviderDown[] {
  const platforms = Map.groupBy(looks, ({ platform }) => platform);
  return [...platforms].flatMap(([platform, rows]) => {
    const known = rows.filter(({ state }) => state !== 'unknown');
    const failed = known.filter(({ state, outcome }) => state === 'fail' && isOutage(outcome));
    const looked = sum(known);
    const failing = sum(failed);
    if (outagePercent(failing, looked) < OUTAGE_PERCENT) return [];
    const [most] = failed.toSorted((a, b) => b.count - a.count);
    return [{ platform, failing, looked, outcome: most!.outcome! }];
  });
}

function sum(rows: readonly PlatformLook[]): number {
  return rows.reduce((total, { count }) => total + count, 0);
}

import type { Clock } from '../core/clock.ts';
import type { AttemptRecord, AttemptSink, OperationKind, Outcome } from '../outgoing/types.ts';
import { Histogram } from '../performance/histogram.ts';
import { Busiest } from './busiest.ts';
import {
  counter,
  type Family,
  type HistogramSample,
  histogram,
  histogramSample,
  type NumberSample,
} from './families.ts';

/** Platforms counted by themselves. Anybody who may add connectors can make names; the rest is `other`. */
const MAX_PLATFORMS = 100;
const OTHER = 'other';
const WINDOW_MS = 60_000;
const PHASES = ['backoff', 'rate_limit', 'queue', 'connect', 'first_byte', 'body', 'write'] as const;
type Phase = (typeof PHASES)[number];

interface OperationSeries {
  readonly platform: string;
  readonly operation: OperationKind;
  readonly duration: Histogram;
  readonly outcomes: { readonly outcome: Outcome; count: number }[];
  retries: number;
  responseBytes: number;
}

interface IntegrationSeries {
  readonly duration: Histogram;
  succeeded: number;
  failed: number;
}

/**
 * Counts every attempt of the pipeline since the process started. Labels are bounded whatever comes: platforms by
 * number, operations and outcomes by their types, integrations by `integrationSeries`.
 */
export class AttemptMetrics implements AttemptSink {
  readonly #clock: Clock;
  readonly #platforms = new Map<string, OperationSeries[]>();
  readonly #phases = Object.fromEntries(PHASES.map((phase) => [phase, new Histogram()])) as Record<Phase, Histogram>;
  readonly #integrations = new Map<string, IntegrationSeries>();
  readonly #otherIntegrations: IntegrationSeries = { duration: new Histogram(), succeeded: 0, failed: 0 };
  readonly #busiest: Busiest;
  #windowEndsMs = Number.NEGATIVE_INFINITY;
  #foldedPlatforms = 0;
  #foldedIntegrations = 0;

  /** @param options.integrationSeries integrations that have series of their own, the busiest ones */
  constructor(options: { clock: Clock; integrationSeries: number }) {
    this.#clock = options.clock;
    this.#busiest = new Busiest(options.integrationSeries, (id) => this.#integrations.delete(id));
  }

  record(attempt: AttemptRecord): void {
    const { phases, outcome } = attempt;
    const seconds = attempt.durationMs / 1_000;
    const series = this.#operation(attempt.platform ?? 'unknown', attempt.operation);
    series.duration.record(seconds);
    countOutcome(series, outcome);
    if (attempt.attempt > 1) series.retries += 1;
    series.responseBytes += attempt.responseBytes;
    if (attempt.attempt > 1) this.#phases.backoff.record(phases.backoffMs / 1_000);
    this.#phases.rate_limit.record(phases.rateLimitMs / 1_000);
    this.#phases.queue.record(phases.queueMs / 1_000);
    if (phases.connectMs !== null) this.#phases.connect.record(phases.connectMs / 1_000);
    if (phases.firstByteMs !== null) this.#phases.first_byte.record(phases.firstByteMs / 1_000);
    if (phases.bodyMs !== null) this.#phases.body.record(phases.bodyMs / 1_000);
    const integration = this.#integration(attempt.integrationId);
    integration.duration.record(seconds);
    if (outcome === 'success') integration.succeeded += 1;
    else integration.failed += 1;
  }

  /** The storing of a batch of pages. */
  recordWrite(durationMs: number): void {
    this.#phases.write.record(durationMs / 1_000);
  }

  families(): Family[] {
    const series = [...this.#platforms.values()].flat();
    const labelsOf = ({ platform, operation }: OperationSeries) => ({ platform, operation });
    const sums = (read: (one: OperationSeries) => number) =>
      series.map((one) => ({ labels: labelsOf(one), value: read(one) }));
    return [
      counter(
        'integration_services_outgoing_attempts_total',
        'Attempts of calls to providers, by how they ended.',
        series.flatMap((one) =>
          one.outcomes.map(({ outcome, count }) => ({ labels: { ...labelsOf(one), outcome }, value: count })),
        ),
      ),
      counter(
        'integration_services_outgoing_retries_total',
        'Attempts that were not the first of their call.',
        sums(({ retries }) => retries),
      ),
      counter(
        'integration_services_outgoing_response_bytes_total',
        'Bytes of answers on the wire, before decoding.',
        sums(({ responseBytes }) => responseBytes),
      ),
      histogram(
        'integration_services_outgoing_duration_seconds',
        'Duration of attempts, without what was waited for before.',
        series.map((one) => histogramSample(labelsOf(one), one.duration)),
      ),
      histogram(
        'integration_services_outgoing_phase_duration_seconds',
        'Where the time of attempts went.',
        PHASES.map((phase) => histogramSample({ phase }, this.#phases[phase])),
      ),
      ...this.#integrationFamilies(),
      counter('integration_services_metrics_folded_total', 'Attempts counted under "other" to bound the series.', [
        { labels: { label: 'platform' }, value: this.#foldedPlatforms },
        { labels: { label: 'integration' }, value: this.#foldedIntegrations },
      ]),
    ];
  }

  #integrationFamilies(): Family[] {
    const attempts: NumberSample[] = [];
    const durations: HistogramSample[] = [];
    for (const [integration, one] of [...this.#integrations, [OTHER, this.#otherIntegrations] as const]) {
      if (one.duration.count === 0) continue;
      attempts.push({ labels: { integration, result: 'success' }, value: one.succeeded });
      attempts.push({ labels: { integration, result: 'failure' }, value: one.failed });
      durations.push(histogramSample({ integration }, one.duration));
    }
    return [
      counter(
        'integration_services_integration_attempts_total',
        'Attempts of the busiest integrations; those of all others together are "other".',
        attempts,
      ),
      histogram(
        'integration_services_integration_duration_seconds',
        'Duration of attempts of the busiest integrations; those of all others together are "other".',
        durations,
      ),
    ];
  }

  #operation(platform: string, operation: OperationKind): OperationSeries {
    let ofPlatform = this.#platforms.get(platform);
    if (ofPlatform === undefined) {
      if (this.#platforms.size >= MAX_PLATFORMS && platform !== OTHER) {
        this.#foldedPlatforms += 1;
        return this.#operation(OTHER, operation);
      }
      ofPlatform = [];
      this.#platforms.set(platform, ofPlatform);
    }
    for (const one of ofPlatform) if (one.operation === operation) return one;
    const duration = new Histogram();
    const series: OperationSeries = { platform, operation, duration, outcomes: [], retries: 0, responseBytes: 0 };
    ofPlatform.push(series);
    return series;
  }

  #integration(id: string): IntegrationSeries {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= this.#windowEndsMs) {
      this.#busiest.endWindow();
      this.#windowEndsMs = nowMs + WINDOW_MS;
    }
    if (!this.#busiest.count(id)) {
      this.#foldedIntegrations += 1;
      return this.#otherIntegrations;
    }
    let series = this.#integrations.get(id);
    if (series === undefined) {
      series = { duration: new Histogram(), succeeded: 0, failed: 0 };
      this.#integrations.set(id, series);
    }
    return series;
  }
}

function countOutcome({ outcomes }: OperationSeries, outcome: Outcome): void {
  for (const one of outcomes) {
    if (one.outcome !== outcome) continue;
    one.count += 1;
    return;
  }
  outcomes.push({ outcome, count: 1 });
}

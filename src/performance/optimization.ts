/** What an attempt to make an integration faster has come to, as far as every optimizer tells. */
export interface OptimizationResult {
  readonly integrationId: string;
  readonly status: string;
  /** Why, in words. */
  readonly reason: string;
  /** Measured, in percent; null before it is measured. */
  readonly performanceGain: number | null;
  /** That the gain is no chance, between 0 and 1. */
  readonly confidence: number | null;
}

/** Tries out settings of an integration within their bounds, and keeps what is measured to be better. */
export interface Optimizer<Result extends OptimizationResult> {
  /** @throws IntegrationNotFoundError */
  optimize(integrationId: string): Promise<Result>;
}

import type { AuditTrail } from '../../audit/types.ts';
import type { Connector } from '../../connectors/format.ts';
import type { Clock } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Integration } from '../../integrations/types.ts';
import type { Database } from '../../store/database.ts';
import { readSeries } from '../store/seriesQueries.ts';
import { chooseChange } from './chooseChange.ts';
import { DEFAULT_LIMITS, type ExperimentLimits } from './experimentLimits.ts';
import {
  findExperiment,
  findRunning,
  listExperiments,
  listRunning,
  listTried,
  type StoredExperiment,
} from './experimentQueries.ts';
import { Experiments } from './experiments.ts';
import { factsOf } from './facts.ts';
import { judge } from './judge.ts';
import { comparableOf, isComparable, measurePeriod } from './measurePeriod.ts';
import { resultOf, unchanged } from './optimizationResult.ts';
import { readEndedRuns } from './periodQueries.ts';
import { readTuning } from './tuningQueries.ts';
import type { Experiment, OptimizationResult, Tuning } from './types.ts';

/** Experiments looked at in one round of the job; the rest has its turn a minute later. */
const MOST_AT_ONCE = 1_000;
/** An experiment gets this much more time than as many runs took before. */
const PATIENCE = 1.5;

/** What is tuned. */
export interface Tuned {
  readonly integration: Integration;
  readonly connector: Connector;
}

export interface PerformanceOptimizerOptions {
  readonly database: Database;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  /** @throws IntegrationNotFoundError */
  readonly describe: (integrationId: string) => Promise<Tuned>;
  /** Has what was measured so far written; by default it is there a second later. */
  readonly flush?: () => Promise<void>;
  readonly limits?: Partial<ExperimentLimits>;
}

/**
 * Tunes an integration by experiments: one change of one setting, chosen from what was measured, applied, compared
 * with the time before, and kept or taken back.
 */
export class PerformanceOptimizer {
  readonly #options: PerformanceOptimizerOptions;
  readonly #limits: ExperimentLimits;
  readonly #experiments: Experiments;

  constructor(options: PerformanceOptimizerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#experiments = new Experiments(options);
  }

  /**
   * Starts the next experiment, or tells how the one under way is doing. The call that finds it decided answers the
   * outcome; one that comes after another has found it starts the next. Several calls at once start one.
   * @throws IntegrationNotFoundError
   */
  async optimize(integrationId: string): Promise<OptimizationResult> {
    const { database } = this.#options;
    const described = await this.#options.describe(integrationId);
    await this.#options.flush?.();
    const running = await findRunning(database.db, integrationId);
    if (running !== null) return this.#progress(running);
    if (described.integration.status === 'disconnected')
      return unchanged(integrationId, 'nothing_to_do', 'the integration is disconnected');
    const next = await this.#next(described);
    if (next?.status === 'started') return next;
    // Somebody else may have started one since, which is why there is nothing to begin with now.
    const other = await findRunning(database.db, integrationId);
    if (other !== null) return this.#progress(other);
    return next ?? unchanged(integrationId, 'nothing_to_do', 'its settings were changed in this moment');
  }

  /** Decides what can be decided; for the end of a run. */
  async review(integrationId: string): Promise<void> {
    const running = await findRunning(this.#options.database.db, integrationId);
    if (running !== null) await this.#progress(running);
  }

  /** Decides what can be decided, of all integrations. Every experiment is decided once, however many processes do so. */
  async reviewAll(signal: AbortSignal): Promise<void> {
    for (const integrationId of await listRunning(this.#options.database.db, MOST_AT_ONCE)) {
      signal.throwIfAborted();
      await this.review(integrationId);
    }
  }

  /** Newest first. @param page.before the last id of the page before */
  list(integrationId: string, page: { limit?: number; before?: string } = {}): Promise<Experiment[]> {
    const { limit = LIMITS.pageSizeDefault, ...rest } = page;
    return listExperiments(this.#options.database.db, integrationId, { limit, ...rest });
  }

  /** @throws ExperimentNotFoundError, ConflictError */
  revert(integrationId: string, experimentId: string): Promise<Experiment> {
    return this.#experiments.revert(integrationId, experimentId);
  }

  tuning(integrationId: string): Promise<Tuning> {
    return readTuning(this.#options.database.db, integrationId);
  }

  /** Sets all settings by hand. @throws InvalidInputError */
  setTuning(integrationId: string, settings: unknown): Promise<Tuning> {
    return this.#experiments.set(integrationId, settings);
  }

  async #progress(running: StoredExperiment): Promise<OptimizationResult> {
    const { database, clock } = this.#options;
    const { experiment, comparable } = running;
    const from = new Date(Date.parse(experiment.startedAt) + this.#limits.settleMs);
    const until = new Date(Math.max(clock.now(), from.getTime()));
    const after = await measurePeriod(database.db, experiment.integrationId, { from, until }, comparable);
    const isDue = until.getTime() >= Date.parse(experiment.decideBy);
    const judgement = judge(experiment.change.goal, experiment.before, after, { limits: this.#limits, isDue });
    if (judgement.status === 'running') return resultOf({ ...experiment, after }, 'running');
    const ended = await this.#experiments.settle(running, judgement, after);
    const known = ended ?? (await findExperiment(database.db, experiment.integrationId, experiment.id)) ?? experiment;
    return resultOf(known, known.status === 'kept' ? 'kept' : 'rolled_back');
  }

  async #next({ integration, connector }: Awaited<ReturnType<PerformanceOptimizerOptions['describe']>>) {
    const { database, clock } = this.#options;
    const { id: integrationId, configuration } = integration;
    const limits = this.#limits;
    const tuning = await readTuning(database.db, integrationId);
    // Only what was measured with the settings of now is a period before.
    const changedMs = tuning.updatedAt === null ? 0 : Date.parse(tuning.updatedAt) + limits.settleMs;
    const until = new Date(clock.now());
    const from = new Date(Math.max(until.getTime() - limits.windowMs, changedMs));
    const runs = await readEndedRuns(database.db, integrationId, from, until);
    const comparable = comparableOf(runs);
    const start = runs[0]?.started_at ?? from;
    const before = await measurePeriod(database.db, integrationId, { from: start, until }, comparable, runs);
    if (runs.length < limits.runs || before.calls < limits.calls) {
      const have = `${runs.length} syncs with ${before.calls} calls`;
      const need = `${limits.runs} syncs and ${limits.calls} calls are needed`;
      return unchanged(integrationId, 'not_enough_data', `with the present settings there were ${have}; ${need}`);
    }
    const series = await readSeries(database, {
      integrationId,
      resolution: 'hour',
      fromMs: start.getTime(),
      untilMs: until.getTime(),
      operations: ['sync'],
    });
    const facts = factsOf({ tuning, connector, chosenStreams: configuration.streams, runs, series });
    const tried = await listTried(database.db, integrationId, new Date(until.getTime() - limits.coolDownMs));
    const choice = chooseChange(facts, (knob, to) => tried.some((one) => one.knob === knob && one.to === to));
    if (choice.kind === 'nothing') return unchanged(integrationId, 'nothing_to_do', choice.reason);
    const { change } = choice;
    const alike = comparable === null ? [] : runs.filter((run) => isComparable(run, comparable));
    if (change.goal === 'throughput') {
      const needed = `comparable syncs of at least ${limits.recordsPerRun} records`;
      if (alike.length < limits.runs || (comparable?.medianRecords ?? 0) < limits.recordsPerRun)
        return unchanged(
          integrationId,
          'not_enough_data',
          `a gain could not be measured: it takes ${limits.runs} ${needed}`,
          change,
        );
    }
    const tookMs = until.getTime() - (runs.at(-limits.runs)?.started_at.getTime() ?? start.getTime());
    const lastsMs = Math.min(limits.longestMs, Math.max(limits.shortestMs, PATIENCE * tookMs));
    const started = await this.#experiments.start(
      { integrationId, change, before, comparable, lastsMs },
      tuning.version,
    );
    return started === null ? null : resultOf(started, 'started');
  }
}

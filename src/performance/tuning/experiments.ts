import type { Transaction } from 'kysely';
import { acting } from '../../audit/acting.ts';
import type { AuditEvent, AuditTrail } from '../../audit/types.ts';
import { ConflictError } from '../../core/errors.ts';
import { newId } from '../../core/ids.ts';
import { parseInput } from '../../core/input.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import { ExperimentNotFoundError } from './errors.ts';
import {
  endExperiment,
  findExperiment,
  findRunning,
  insertExperiment,
  type NewExperiment,
  type StoredExperiment,
} from './experimentQueries.ts';
import type { Judgement } from './judge.ts';
import { tuningSchema } from './tuningInput.ts';
import { lockTuning, readTuning, writeTuning } from './tuningQueries.ts';
import type { Experiment, PeriodMeasures, Tuning, TuningSettings } from './types.ts';

const BY_HAND = { performanceGain: null, confidence: null } as const;

/**
 * Changes of settings, each in one transaction with the experiment that it belongs to and its entry in the audit log.
 * An integration has one experiment at a time.
 */
export class Experiments {
  readonly #database: Database;
  readonly #audit: AuditTrail;

  constructor(options: { database: Database; audit: AuditTrail }) {
    this.#database = options.database;
    this.#audit = options.audit;
  }

  /**
   * Applies a change that was chosen for settings of this version.
   * @returns null when they have changed meanwhile, by another experiment or by hand
   */
  start(given: Omit<NewExperiment, 'id'>, tuningVersion: number): Promise<Experiment | null> {
    const { integrationId, change } = given;
    return this.#database.transaction(async (tx) => {
      await lockTuning(tx, integrationId);
      const { version } = await readTuning(tx, integrationId);
      if (version !== tuningVersion || (await findRunning(tx, integrationId)) !== null) return null;
      const experiment = await insertExperiment(tx, { ...given, id: newId('tuningExperiment') });
      await writeTuning(tx, integrationId, { [change.knob]: change.to });
      await this.#record(tx, experiment, 'tuning.experiment_started', {
        before: { [change.knob]: change.from },
        after: { [change.knob]: change.to },
      });
      return experiment;
    });
  }

  /** Keeps the change or takes it back; null when another process has decided already. */
  settle(
    { experiment }: StoredExperiment,
    judgement: Exclude<Judgement, { status: 'running' }>,
    after: PeriodMeasures,
  ): Promise<Experiment | null> {
    return this.#database.transaction(async (tx) => {
      await lockTuning(tx, experiment.integrationId);
      const ended = await endExperiment(tx, experiment.id, ['running'], judgement, after);
      if (ended === null) return null;
      const isTakenBack = ended.status !== 'kept' && (await takeBack(tx, ended));
      await this.#record(tx, ended, `tuning.experiment_${ended.status}`, isTakenBack ? valuesOf(ended) : {});
      return ended;
    });
  }

  /**
   * Takes back a change that runs or was kept. What is taken back already stays so.
   * @throws ExperimentNotFoundError
   * @throws ConflictError the setting was changed again since; nothing was changed
   */
  revert(integrationId: string, id: string): Promise<Experiment> {
    return this.#database.transaction(async (tx) => {
      const experiment = await findExperiment(tx, integrationId, id);
      if (experiment === null) throw new ExperimentNotFoundError(integrationId, id);
      await lockTuning(tx, integrationId);
      const verdict = 'taken back by hand';
      const { performanceGain, confidence } = experiment;
      const ending = { status: 'reverted', verdict, performanceGain, confidence } as const;
      const ended = await endExperiment(tx, id, ['running', 'kept'], ending, null);
      if (ended === null) return (await findExperiment(tx, integrationId, id))!;
      if (!(await takeBack(tx, ended)))
        throw new ConflictError(
          `${ended.change.knob} was changed again since experiment ${id}. Nothing was changed. Set it with PUT …/tuning.`,
          { details: { integrationId, experimentId: id } },
        );
      await this.#record(tx, ended, 'tuning.experiment_reverted', valuesOf(ended));
      return ended;
    });
  }

  /**
   * Sets all settings by hand; what is left out goes back to the connector's. An experiment that runs ends with it.
   * @throws InvalidInputError
   */
  async set(integrationId: string, input: unknown): Promise<Tuning> {
    const settings = parseInput(tuningSchema, input, 'The tuning');
    return this.#database.transaction(async (tx) => {
      await lockTuning(tx, integrationId);
      const running = await findRunning(tx, integrationId);
      if (running !== null) {
        const ending = { status: 'rolled_back', verdict: 'settings were changed by hand', ...BY_HAND } as const;
        const ended = await endExperiment(tx, running.experiment.id, ['running'], ending, null);
        await this.#record(tx, ended!, 'tuning.experiment_rolled_back', {});
      }
      const before = settingsOf(await readTuning(tx, integrationId));
      await writeTuning(tx, integrationId, settings);
      await this.#audit.record(tx, { ...changeOf(integrationId, 'tuning.changed'), before, after: { ...settings } });
      return readTuning(tx, integrationId);
    });
  }

  async #record(
    tx: Transaction<Schema>,
    { id, integrationId, change, verdict, performanceGain, confidence }: Experiment,
    action: string,
    values: { readonly before?: JsonObject; readonly after?: JsonObject },
  ): Promise<void> {
    const reason = verdict ?? change.reason;
    const details = { experimentId: id, knob: change.knob, reason, performanceGain, confidence };
    await this.#audit.record(tx, { ...changeOf(integrationId, action), ...values, details });
  }
}

/** Puts the knob where it was, unless somebody has moved it since. */
async function takeBack(tx: Transaction<Schema>, { integrationId, change }: Experiment): Promise<boolean> {
  const now = await readTuning(tx, integrationId);
  if (now[change.knob] !== change.to) return false;
  await writeTuning(tx, integrationId, { [change.knob]: change.from });
  return true;
}

function valuesOf({ change: { knob, from, to } }: Experiment): { before: JsonObject; after: JsonObject } {
  return { before: { [knob]: to }, after: { [knob]: from } };
}

function settingsOf({ version: _version, updatedAt: _updatedAt, ...settings }: Tuning): JsonObject & TuningSettings {
  return settings;
}

function changeOf(integrationId: string, action: string): AuditEvent {
  return {
    ...acting(),
    action,
    outcome: 'success',
    target: { kind: 'integration', id: integrationId },
    integrationId,
  };
}

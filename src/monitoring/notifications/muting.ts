import { type FiringAlert, type Inhibition, type InhibitionRule, inhibitionOf } from './inhibition.ts';
import { type Matcher, matchesAll } from './labelMatchers.ts';
import { isOpen, type WindowTimes } from './maintenanceTimes.ts';
import type { Labels, MuteReason } from './types.ts';

export interface SilenceRule {
  readonly id: string;
  readonly matchers: readonly Matcher[];
  readonly startsAtMs: number;
  readonly endsAtMs: number;
}

export interface MaintenanceRule {
  readonly id: string;
  readonly matchers: readonly Matcher[];
  readonly times: WindowTimes;
}

/** All that keeps alerts from being told of. */
export interface MuteRules {
  readonly silences: readonly SilenceRule[];
  readonly maintenance: readonly MaintenanceRule[];
  readonly inhibitions: readonly InhibitionRule[];
}

/** Every reason why an alert is not told of. */
export interface Mutes {
  /** Ids of silences. */
  readonly silencedBy: readonly string[];
  readonly inhibitedBy: Inhibition | null;
  /** Ids of maintenance windows. */
  readonly maintenance: readonly string[];
}

export const NO_MUTES: Mutes = { silencedBy: [], inhibitedBy: null, maintenance: [] };

/** Judges alerts at one moment. */
export class Muter {
  readonly #silences: readonly SilenceRule[];
  readonly #maintenance: readonly MaintenanceRule[];
  readonly #inhibitions: readonly InhibitionRule[];
  readonly #sources = new Map<string, readonly FiringAlert[]>();
  readonly #alerts: readonly FiringAlert[];
  readonly #nowMs: number;

  /** @param alerts every one that fires or ended lately, or at least those that may be the source of an inhibition */
  constructor({ silences, maintenance, inhibitions }: MuteRules, alerts: readonly FiringAlert[], nowMs: number) {
    this.#silences = silences.filter(({ startsAtMs, endsAtMs }) => startsAtMs <= nowMs && nowMs < endsAtMs);
    this.#maintenance = maintenance.filter(({ times }) => isOpen(times, nowMs));
    this.#inhibitions = inhibitions;
    this.#alerts = alerts;
    this.#nowMs = nowMs;
  }

  /** @param hasEnded then only what holds it back now counts: its end is told although its cause ended lately */
  mutesOf(labels: Labels, hasEnded = false): Mutes {
    const idsOf = (rules: readonly { id: string; matchers: readonly Matcher[] }[]) =>
      rules.filter(({ matchers }) => matchesAll(matchers, labels)).map(({ id }) => id);
    return {
      silencedBy: idsOf(this.#silences),
      inhibitedBy: inhibitionOf(labels, this.#inhibitions, (rule) =>
        this.#sourcesOf(rule).filter(({ endsAtMs }) => !hasEnded || endsAtMs === null),
      ),
      maintenance: idsOf(this.#maintenance),
    };
  }

  /** The first reason; null: it is told of. */
  reasonOf(labels: Labels, hasEnded = false): MuteReason | null {
    const { silencedBy, inhibitedBy, maintenance } = this.mutesOf(labels, hasEnded);
    if (silencedBy.length > 0) return 'silenced';
    if (maintenance.length > 0) return 'maintenance';
    return inhibitedBy === null ? null : 'inhibited';
  }

  #sourcesOf(rule: InhibitionRule): readonly FiringAlert[] {
    let sources = this.#sources.get(rule.id);
    if (sources === undefined) {
      const counts = ({ endsAtMs }: FiringAlert) => endsAtMs === null || this.#nowMs - endsAtMs < rule.lingerMs;
      sources = this.#alerts.filter((alert) => counts(alert) && matchesAll(rule.sourceMatchers, alert.labels));
      this.#sources.set(rule.id, sources);
    }
    return sources;
  }
}

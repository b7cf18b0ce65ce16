import { type InhibitionRule, inhibitedBy } from './inhibition.ts';
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

export interface Mute {
  readonly reason: MuteReason;
  /** Of the silence, window or rule. */
  readonly by: string;
}

/** Judges alerts at one moment. */
export class Muter {
  readonly #silences: readonly SilenceRule[];
  readonly #maintenance: readonly MaintenanceRule[];
  readonly #inhibitions: readonly InhibitionRule[];
  readonly #sources = new Map<string, readonly Labels[]>();
  readonly #firing: readonly Labels[];

  /** @param firing labels of every alert that fires, or at least of every source of an inhibition */
  constructor({ silences, maintenance, inhibitions }: MuteRules, firing: readonly Labels[], nowMs: number) {
    this.#silences = silences.filter(({ startsAtMs, endsAtMs }) => startsAtMs <= nowMs && nowMs < endsAtMs);
    this.#maintenance = maintenance.filter(({ times }) => isOpen(times, nowMs));
    this.#inhibitions = inhibitions;
    this.#firing = firing;
  }

  /** Every reason why an alert with these labels is not told of. */
  mutesOf(labels: Labels): Mute[] {
    const silences = this.#silences.filter(({ matchers }) => matchesAll(matchers, labels));
    const windows = this.#maintenance.filter(({ matchers }) => matchesAll(matchers, labels));
    const inhibition = inhibitedBy(labels, this.#inhibitions, (rule) => this.#sourcesOf(rule));
    return [
      ...silences.map(({ id }): Mute => ({ reason: 'silenced', by: id })),
      ...windows.map(({ id }): Mute => ({ reason: 'maintenance', by: id })),
      ...(inhibition === null ? [] : [{ reason: 'inhibited', by: inhibition } as const]),
    ];
  }

  #sourcesOf(rule: InhibitionRule): readonly Labels[] {
    let sources = this.#sources.get(rule.id);
    if (sources === undefined) {
      sources = this.#firing.filter((labels) => matchesAll(rule.sourceMatchers, labels));
      this.#sources.set(rule.id, sources);
    }
    return sources;
  }
}

/** Labels of an alert. A label that is not there counts as an empty text, as with Prometheus. */
export type Labels = Readonly<Record<string, string>>;

/** An alert as the notifier knows it: one instance of a rule. */
export interface GroupAlert {
  readonly fingerprint: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  /** The measured value, null when there was none. */
  readonly value: number | null;
  /** When it began to fire, milliseconds since the epoch. */
  readonly startsAtMs: number;
  /** When it was resolved; null while it fires. */
  readonly endsAtMs: number | null;
}

/** How long a policy waits; Alertmanager's `group_wait`, `group_interval` and `repeat_interval`. */
export interface GroupTiming {
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
}

export const DEFAULT_TIMING: GroupTiming = {
  groupWaitMs: 30_000,
  groupIntervalMs: 300_000,
  repeatIntervalMs: 4 * 3_600_000,
};

/** What a channel was last told of a group; Alertmanager's entry of the notification log. */
export interface ChannelLog {
  /** Fingerprints. */
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  readonly atMs: number;
}

/** Who is told when nobody has acknowledged for this long after the first notification. */
export interface EscalationStep {
  readonly afterMs: number;
  readonly channels: readonly string[];
}

/** The alerts that are told of together, and what was told. */
export interface GroupState {
  readonly alerts: ReadonlyMap<string, GroupAlert>;
  /** Null while the group is empty. */
  readonly nextFlushAtMs: number | null;
  /** Whether the wait of the first notification is over. */
  readonly hasFlushed: boolean;
  /** When somebody could first be told of what fires now; escalation counts from it. */
  readonly episodeAtMs: number | null;
  /** How many steps of escalation were reached in this episode. */
  readonly level: number;
  readonly log: ReadonlyMap<string, ChannelLog>;
}

export type NoticeReason = 'firing' | 'new_firing' | 'resolved' | 'repeat' | 'escalation' | 'acknowledged';

/** One thing to tell one channel. */
export interface Notice {
  readonly channel: string;
  readonly reason: NoticeReason;
  readonly firing: readonly GroupAlert[];
  readonly resolved: readonly GroupAlert[];
}

/** Why an alert is not told of. It goes on being evaluated all the same. */
export type MuteReason = 'silenced' | 'inhibited' | 'maintenance';

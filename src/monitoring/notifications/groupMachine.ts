import type {
  ChannelLog,
  EscalationStep,
  GroupAlert,
  GroupState,
  GroupTiming,
  MuteReason,
  Notice,
  NoticeReason,
} from './types.ts';

// Semantics of Prometheus' Alertmanager, https://prometheus.io/docs/alerting/latest/configuration/#route (group_wait,
// group_interval, repeat_interval) and of its notification pipeline: mute, then deduplicate against the notification
// log of the receiver, then send. Acknowledgement and escalation are additions and change nothing where unused.

/** What a flush looks at, beside the group itself. */
export interface FlushContext {
  readonly nowMs: number;
  readonly timing: GroupTiming;
  /** Told first. */
  readonly channels: readonly string[];
  readonly steps: readonly EscalationStep[];
  readonly muteReason: (alert: GroupAlert) => MuteReason | null;
  readonly isAcknowledged: (fingerprint: string) => boolean;
  /** Whether the channel wants to hear of what is over. */
  readonly wantsResolved: (channel: string) => boolean;
}

export const EMPTY_GROUP: GroupState = {
  alerts: new Map(),
  nextFlushAtMs: null,
  hasFlushed: false,
  episodeAtMs: null,
  level: 0,
  log: new Map(),
};

/** When a group is told of next: what of its state does not take its alerts to know. */
export type GroupClock = Pick<GroupState, 'nextFlushAtMs' | 'hasFlushed'>;

/** Takes an alert that fires or was resolved into its group. */
export function putAlert(state: GroupState, alert: GroupAlert, timing: GroupTiming, nowMs: number): GroupState {
  const alerts = new Map(state.alerts).set(alert.fingerprint, alert);
  return { ...state, alerts, ...clockAfter(state, alert.startsAtMs, timing, nowMs) };
}

/**
 * The clock of a group that an alert has come to. A group that was empty waits `groupWaitMs` for others to come with
 * it, unless the alert has waited that long already, as after an outage.
 */
export function clockAfter(clock: GroupClock, startsAtMs: number, timing: GroupTiming, nowMs: number): GroupClock {
  const isNew = clock.nextFlushAtMs === null;
  const hasFlushed = isNew ? false : clock.hasFlushed;
  const late = !hasFlushed && startsAtMs + timing.groupWaitMs < nowMs;
  return { hasFlushed, nextFlushAtMs: late ? nowMs : (clock.nextFlushAtMs ?? nowMs + timing.groupWaitMs) };
}

/**
 * When the group, just looked at, is to be looked at next; null: only when an alert comes. A step whose time has come
 * and which an acknowledgement or a silence holds up is looked at with each flush.
 */
export function dueAtMs(
  state: Omit<GroupState, 'alerts' | 'log'>,
  steps: readonly EscalationStep[],
  nowMs: number,
): number | null {
  if (state.nextFlushAtMs === null) return null;
  const step = steps[state.level];
  const stepMs = state.episodeAtMs === null || step === undefined ? 0 : state.episodeAtMs + step.afterMs;
  return stepMs > nowMs ? Math.min(state.nextFlushAtMs, stepMs) : state.nextFlushAtMs;
}

/** What is to be told now, and the group after it. Call it when the group is due. */
export function flush(state: GroupState, context: FlushContext): { state: GroupState; notices: Notice[] } {
  const isFlush = state.nextFlushAtMs !== null && state.nextFlushAtMs <= context.nowMs;
  const tickMs = isFlush ? tickOf(state.nextFlushAtMs!, context) : context.nowMs;
  const visible = [...state.alerts.values()].filter((alert) => context.muteReason(alert) === null);
  const firing = visible.filter((alert) => alert.endsAtMs === null);
  const resolved = visible.filter((alert) => alert.endsAtMs !== null);
  const told = new Telling(state.log, { ...context, nowMs: tickMs }, firing, resolved);

  const episodeAtMs = state.episodeAtMs ?? (isFlush && firing.length > 0 ? tickMs : null);
  const level = levelAt({ ...state, episodeAtMs }, context, firing);
  for (const step of context.steps.slice(state.level, level))
    for (const channel of step.channels) told.escalate(channel);
  if (!isFlush) return { state: { ...state, level, log: told.log }, notices: told.notices };

  const reached = context.steps.slice(0, level).flatMap((step) => step.channels);
  for (const channel of new Set([...context.channels, ...reached])) told.tellIfNeeded(channel);

  // What is over has been told of, or needed no telling; the log remembers it.
  const alerts = new Map([...state.alerts].filter(([, alert]) => alert.endsAtMs === null));
  const over = alerts.size === 0;
  return {
    state: {
      alerts,
      nextFlushAtMs: over ? null : tickMs + context.timing.groupIntervalMs,
      hasFlushed: true,
      episodeAtMs: over ? null : episodeAtMs,
      level: over ? 0 : level,
      log: told.log,
    },
    notices: told.notices,
  };
}

/**
 * The moment a flush counts as. It is the planned one although work takes its time, so that flushes stay on their grid
 * and a repeat interval that is a multiple of the group interval is kept exactly; after a longer pause it is now.
 */
function tickOf(plannedMs: number, { nowMs, timing }: FlushContext): number {
  return nowMs - plannedMs < timing.groupIntervalMs ? plannedMs : nowMs;
}

function levelAt(
  { level, episodeAtMs }: GroupState,
  { steps, nowMs, isAcknowledged }: FlushContext,
  firing: readonly GroupAlert[],
): number {
  if (episodeAtMs === null || !firing.some((alert) => !isAcknowledged(alert.fingerprint))) return level;
  const waiting = steps.findIndex((step, at) => at >= level && episodeAtMs + step.afterMs > nowMs);
  return waiting === -1 ? Math.max(level, steps.length) : waiting;
}

class Telling {
  readonly log: Map<string, ChannelLog>;
  readonly notices: Notice[] = [];
  readonly #context: FlushContext;
  readonly #firing: readonly GroupAlert[];
  readonly #resolved: readonly GroupAlert[];

  constructor(
    log: ReadonlyMap<string, ChannelLog>,
    context: FlushContext,
    firing: readonly GroupAlert[],
    resolved: readonly GroupAlert[],
  ) {
    this.log = new Map(log);
    this.#context = context;
    this.#firing = firing;
    this.#resolved = resolved;
  }

  /** Whatever the channel knows already: being called a second time is the point of it. */
  escalate(channel: string): void {
    if (!this.notices.some((notice) => notice.channel === channel)) this.#tell(channel, 'escalation');
  }

  tellIfNeeded(channel: string): void {
    // Alertmanager's pipeline ends where the mutes leave nothing.
    if (this.#firing.length + this.#resolved.length === 0) return;
    const reason = this.#reasonFor(this.log.get(channel), channel);
    if (reason !== null) this.#tell(channel, reason);
  }

  #reasonFor(entry: ChannelLog | undefined, channel: string): NoticeReason | null {
    const { nowMs, timing, isAcknowledged, wantsResolved } = this.#context;
    const firing = this.#firing.map((alert) => alert.fingerprint);
    if (entry === undefined) return firing.length > 0 ? 'firing' : null;
    if (!isSubset(firing, entry.firing)) return entry.firing.length === 0 ? 'firing' : 'new_firing';
    // Without anything that fires, the channel has to hear of the end only of what it has heard of.
    if (firing.length === 0) return entry.firing.length > 0 ? 'resolved' : null;
    const resolved = this.#resolved.map((alert) => alert.fingerprint);
    if (wantsResolved(channel) && !isSubset(resolved, entry.resolved)) return 'resolved';
    const due = entry.atMs <= nowMs - timing.repeatIntervalMs;
    return due && firing.some((fingerprint) => !isAcknowledged(fingerprint)) ? 'repeat' : null;
  }

  #tell(channel: string, reason: NoticeReason): void {
    const [firing, resolved] = [this.#firing, this.#resolved];
    this.log.set(channel, {
      firing: firing.map((alert) => alert.fingerprint),
      resolved: resolved.map((alert) => alert.fingerprint),
      atMs: this.#context.nowMs,
    });
    const wanted = this.#context.wantsResolved(channel);
    // The log has it all the same, so that the next time is a first time again.
    if (firing.length === 0 && !wanted) return;
    this.notices.push({ channel, reason, firing, resolved: wanted ? resolved : [] });
  }
}

function isSubset(part: readonly string[], whole: readonly string[]): boolean {
  const known = new Set(whole);
  return part.every((one) => known.has(one));
}

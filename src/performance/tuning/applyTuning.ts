import type { OutgoingCall, SendOutgoing } from '../../outgoing/types.ts';
import type { TuningSettings } from './types.ts';

type Budget = NonNullable<OutgoingCall['budgets']>[number];
type Settings = Pick<TuningSettings, 'rateSharePercent' | 'connectMs' | 'headersMs' | 'totalMs'>;

/**
 * A way out that sends every call with the settings as they are then: those of syncs within their deadlines, unless a
 * call has its own, and all of them within the share of the budgets, which are only ever made smaller.
 * @param defaultBudget of calls that name none
 */
export function tunedSend(send: SendOutgoing, current: () => Promise<Settings>, defaultBudget: Budget): SendOutgoing {
  return async (call) => send(tuneCall(call, await current(), defaultBudget));
}

export function tuneCall(call: OutgoingCall, settings: Settings, defaultBudget: Budget): OutgoingCall {
  const { rateSharePercent, connectMs, headersMs, totalMs } = settings;
  // They follow from what syncs take; a login may take longer.
  const deadlines = call.operation === 'sync' ? { connectMs, headersMs, totalMs } : {};
  const set = Object.entries(deadlines).filter(([, ms]) => ms !== null);
  const share = rateSharePercent ?? 100;
  return {
    ...call,
    ...(set.length === 0 ? {} : { deadlines: { ...Object.fromEntries(set), ...call.deadlines } }),
    ...(share === 100 ? {} : { budgets: (call.budgets ?? [defaultBudget]).map((budget) => lowered(budget, share)) }),
  };
}

/** One call is always left. */
function lowered({ maxRequests, windowMs }: Budget, percent: number): Budget {
  return { maxRequests: Math.min(maxRequests, Math.max(1, Math.floor((maxRequests * percent) / 100))), windowMs };
}

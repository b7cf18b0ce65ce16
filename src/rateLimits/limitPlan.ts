import { z } from 'zod';
import { invalidInput, parseInput } from '../core/input.ts';
import { type Limit, type LimitRule, STRATEGIES, type TakeAnswer } from './limitRule.ts';
import type { RateLimitConfig, RateLimitRule } from './types.ts';

const MAX_LIMIT = 1_000_000_000;
const MAX_WINDOW_MS = 31 * 86_400_000;
const MAX_ADDITIONAL = 8;
const MAX_TEXT_CHARS = 200;
/** Of a window, `burstLimit` counts in any of these. */
const BURST_WINDOW_MS = 1_000;
const BURST_SUFFIX = ':burst';

const count = z.int().min(1).max(MAX_LIMIT);
const text = z.string().min(1).max(MAX_TEXT_CHARS);
const ruleFields = {
  strategy: z.enum(STRATEGIES).optional(),
  maxRequests: count.optional(),
  windowSize: z.int().min(1).max(MAX_WINDOW_MS).optional(),
  burstLimit: count.optional(),
};
const additionalSchema = z.strictObject({
  ...ruleFields,
  maxRequests: count,
  windowSize: ruleFields.windowSize.unwrap(),
  per: z.enum(['integration', 'action', 'user']).optional(),
});
const configSchema = z.strictObject({
  ...ruleFields,
  cost: z.int().min(1).max(1_000_000).optional(),
  userId: text.optional(),
  limits: z.array(additionalSchema).max(MAX_ADDITIONAL).optional(),
});

/** What `adjustRateLimit` takes, also as a request body. */
export const adjustmentSchema = z.strictObject(ruleFields);

/** The limits of one kind of call. The first is its own; the others are taken with it. */
export interface LimitPlan {
  /** The same for plans of the same limits. */
  readonly id: string;
  readonly limits: readonly Limit[];
}

/** A rule with nothing left open. */
export type CompleteRule = Required<Omit<RateLimitRule, 'burstLimit'>> & Pick<RateLimitRule, 'burstLimit'>;

/** @throws InvalidInputError with every problem */
export function parseConfig(config: unknown): RateLimitConfig {
  const parsed = parseInput(configSchema, config, 'The rate limit');
  if (parsed.userId === undefined) {
    const problems = (parsed.limits ?? []).flatMap(({ per }, index) =>
      per === 'user' ? [{ pointer: `/limits/${index}/per`, detail: 'needs a userId, which is not given.' }] : [],
    );
    if (problems.length > 0) throw invalidInput('The rate limit', problems);
  }
  return parsed;
}

/** @throws InvalidInputError with every problem */
export function parseAdjustment(adjustment: unknown): RateLimitRule {
  const parsed = parseInput(adjustmentSchema, adjustment, 'The rate limit');
  if (Object.values(parsed).every((value) => value === undefined)) {
    throw invalidInput('The rate limit', [
      { pointer: '', detail: 'It changes nothing. Takes maxRequests, windowSize, strategy or burstLimit.' },
    ]);
  }
  return parsed;
}

/** @throws InvalidInputError */
export function parseNames(integrationId: unknown, action: unknown): void {
  parseInput(z.strictObject({ integrationId: text, action: text }), { integrationId, action }, 'The rate limit');
}

/** The limits of a call, and the keys that whoever shares them agrees on. */
export function planOf(options: {
  integrationId: string;
  action: string;
  /** Another one is a clean slate. */
  generation: number;
  rule: CompleteRule;
  config: Pick<RateLimitConfig, 'userId' | 'limits'>;
}): LimitPlan {
  const { rule, config } = options;
  const integration = `${keysOf(options.integrationId)}${options.generation}`;
  const action = `${integration}:a:${encodeURIComponent(options.action)}`;
  const user = `${action}:u:${encodeURIComponent(config.userId ?? '')}`;
  const limits = limitsOf(config.userId === undefined ? action : user, rule);
  for (const { per = 'action', ...additional } of config.limits ?? []) {
    const scope = per === 'integration' ? integration : per === 'user' ? user : action;
    limits.push(...limitsOf(`${scope}:+${additional.windowSize}`, { strategy: 'sliding_window', ...additional }));
  }
  return planWith(limits);
}

/**
 * The limits of what an integration sends: the first, which is of the longest window, under one key whatever its window,
 * so that what was used stays used when it is adjusted.
 */
export function outgoingPlanOf(options: {
  integrationId: string;
  generation: number;
  rules: readonly CompleteRule[];
}): LimitPlan {
  const key = `${keysOf(options.integrationId)}${options.generation}:out`;
  return planWith(
    options.rules.flatMap((rule, index) => limitsOf(index === 0 ? key : `${key}:+${rule.windowSize}`, rule)),
  );
}

/** What all keys of an integration begin with; in braces, the part that a cluster of Redis places keys by. */
export function keysOf(integrationId: string): string {
  return `is:rl:{${encodeURIComponent(integrationId)}}:`;
}

function planWith(limits: readonly Limit[]): LimitPlan {
  return { id: limits.map(({ key, rule }) => `${key} ${Object.values(rule).join('/')}`).join('\n'), limits };
}

function limitsOf(key: string, { strategy, maxRequests, windowSize, burstLimit }: CompleteRule): Limit[] {
  const isBucket = strategy === 'token_bucket';
  const rule: LimitRule = {
    strategy,
    limit: maxRequests,
    windowMs: windowSize,
    capacity: isBucket ? (burstLimit ?? maxRequests) : maxRequests,
  };
  if (isBucket || burstLimit === undefined || burstLimit >= maxRequests) return [{ key, rule }];
  const burst = { strategy: 'sliding_window', limit: burstLimit, capacity: burstLimit } as const;
  return [
    { key, rule },
    { key: `${key}${BURST_SUFFIX}`, rule: { ...burst, windowMs: Math.min(BURST_WINDOW_MS, windowSize) } },
  ];
}

/** Why a call of that cost is refused. */
export function refusalOf({ limits }: LimitPlan, { index, waitMs }: TakeAnswer, cost: number): string {
  const rule = describeRule((limits[index] ?? limits[0]!).rule);
  if (waitMs === Number.POSITIVE_INFINITY) return `The call costs ${cost}, which never fits: ${rule}.`;
  const isBurst = limits[index]?.key.endsWith(BURST_SUFFIX);
  const which = isBurst ? 'The burst limit' : index === 0 ? 'The limit' : 'A further limit';
  return `${which} of ${rule} is used up.`;
}

function describeRule({ strategy, limit, windowMs, capacity }: LimitRule): string {
  const window = `${windowMs % 1_000 === 0 ? `${windowMs / 1_000} s` : `${windowMs} ms`}`;
  return strategy === 'token_bucket'
    ? `a bucket of ${capacity} that gains ${limit} in ${window}`
    : `${limit} in ${window} (${strategy})`;
}

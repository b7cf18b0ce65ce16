import type { Clock } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { type PollLoop, startPollLoop } from '../../core/pollLoop.ts';
import type { ConnectionTestResult } from '../../integrations/types.ts';
import type { Database } from '../../store/database.ts';
import { type IntegrationLook, judgeTraffic, nextCheckMs } from './judgeIntegration.ts';
import {
  adoptIntegrations,
  type ClaimedIntegration,
  claimDue,
  keepLook,
  lookSoon,
  putOff,
  readComingBack,
  readPlatformLooks,
  readTraffic,
} from './probeQueries.ts';
import { providersDown } from './providersDown.ts';

const ROUND_MS = 5_000;
/** Rounds come every second while there is more to do, so a process sends twenty probes a second at most. */
const PROBES_PER_ROUND = 20;
const PROBES_AT_ONCE = 5;

interface Dependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** Proves the connection of an integration with a call; null when it is gone. */
  readonly test: (integrationId: string) => Promise<ConnectionTestResult | null>;
  readonly random?: () => number;
}

/**
 * Looks at every connected integration about every five minutes: at its calls where there are some, else with a call of
 * its own. After failures it looks less often. While a provider is down only one of its integrations is asked in a
 * round, until one works again; then the others are asked within a minute. Several processes share the work.
 */
export class IntegrationProbes {
  readonly #deps: Dependencies;
  readonly #random: () => number;
  #loop: PollLoop | null = null;
  #failing = false;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#random = deps.random ?? Math.random;
  }

  start(): void {
    this.#loop ??= startPollLoop(() => this.#round(), this.#deps.clock);
  }

  async close(): Promise<void> {
    await this.#loop?.stop();
  }

  /** Looks at what is due; how many that were. */
  async look(): Promise<number> {
    const { db } = this.#deps.database;
    await adoptIntegrations(db);
    const claimed = await claimDue(db, PROBES_PER_ROUND);
    if (claimed.length === 0) return 0;
    const [traffic, looks] = await Promise.all([
      readTraffic(
        db,
        claimed.map((one) => one.integration_id),
      ),
      readPlatformLooks(db),
    ]);
    const down = new Set(providersDown(looks).map(({ platform }) => platform));
    const comingBack = new Set(await readComingBack(db, [...down]));
    const asked = new Set<string>();
    const waiting = claimed.values();
    const worker = async () => {
      for (const one of waiting) {
        const calls = traffic.get(one.integration_id);
        const seen = calls === undefined ? null : judgeTraffic(calls);
        const isDown = down.has(one.platform);
        if (seen !== null) await this.#keep(one, seen, isDown);
        else if (isDown && asked.has(one.platform) && !comingBack.has(one.platform)) {
          await putOff(db, one, nextCheckMs(0, this.#random()));
        } else {
          asked.add(one.platform);
          await this.#probe(one, isDown);
        }
      }
    };
    await Promise.all(Array.from({ length: PROBES_AT_ONCE }, worker));
    return claimed.length;
  }

  async #probe(one: ClaimedIntegration, isDown: boolean): Promise<void> {
    let look: IntegrationLook;
    try {
      const result = await this.#deps.test(one.integration_id);
      if (result === null) return;
      look = judgeTest(result);
    } catch (error) {
      look = { state: 'fail', source: 'probe', outcome: 'not_testable', detail: errorMessage(error).slice(0, 500) };
    }
    await this.#keep(one, look, isDown);
  }

  async #keep(one: ClaimedIntegration, look: IntegrationLook, isDown: boolean): Promise<void> {
    const { db } = this.#deps.database;
    const failures = look.state === 'fail' ? one.failures + 1 : 0;
    await keepLook(db, one, look, nextCheckMs(failures, this.#random()));
    if (look.state === 'pass' && isDown) await lookSoon(db, one.platform);
  }

  async #round(): Promise<number> {
    try {
      const looked = await this.look();
      this.#failing = false;
      // More may be due.
      return looked === PROBES_PER_ROUND ? ROUND_MS / 5 : ROUND_MS;
    } catch (error) {
      if (!this.#failing) this.#deps.log.warn('Integrations cannot be probed', { reason: errorMessage(error) });
      this.#failing = true;
      return ROUND_MS;
    }
  }
}

function judgeTest({ success, status, error }: ConnectionTestResult): IntegrationLook {
  // A limit reached proves neither that it works nor that it does not.
  const state = success ? 'pass' : status === 'rate_limited' ? 'warn' : 'fail';
  return { state, source: 'probe', outcome: success ? 'success' : status, detail: error?.slice(0, 500) ?? null };
}

import type { SharedLimitStore } from '../../../src/rateLimits/sharedLimitStore.ts';
import type { StoreUnderTest } from './limitStoreContract.ts';

/** A shared store asked without leases. */
export function asStoreUnderTest(store: SharedLimitStore): StoreUnderTest {
  return {
    take: (limits, cost) => store.take(limits, { atLeast: cost, atMost: cost, share: 1, leaseMs: 0 }),
    charge: (limits, cost) => store.charge(limits, cost),
    close: () => store.close(),
  };
}

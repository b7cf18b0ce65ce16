import { LRUCache } from 'lru-cache';
import type { IntegrationService } from '../integrations/integrationService.ts';

const MAX_NAMES = 1_000;

/** What people call integrations, for lines that they read; each is looked up once. */
export class IntegrationNames {
  readonly #names = new LRUCache<string, string>({ max: MAX_NAMES });
  readonly #integrations: Pick<IntegrationService, 'getIntegrationById'>;

  constructor(integrations: Pick<IntegrationService, 'getIntegrationById'>) {
    this.#integrations = integrations;
  }

  /** The id where there is no such integration, or no longer. */
  async of(id: string): Promise<string> {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const name = (await this.#integrations.getIntegrationById(id))?.name ?? id;
    this.#names.set(id, name);
    return name;
  }
}

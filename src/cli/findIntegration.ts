import type { App } from '../app.ts';
import { isId } from '../core/ids.ts';
import { suggestion } from '../core/input.ts';
import type { Integration } from '../integrations/types.ts';
import { UsageError } from './errors.ts';

/** The integration that a person means by its id or by its name, where only one has that name. */
export async function findIntegration({ catalog }: App, reference: string): Promise<Integration> {
  if (isId('integration', reference)) return catalog.get(reference);
  const matches: Integration[] = [];
  const names: string[] = [];
  for await (const integration of catalog.all()) {
    if (integration.name === reference) matches.push(integration);
    else if (names.length < 1000) names.push(integration.name);
  }
  const [match] = matches;
  if (match !== undefined && matches.length === 1) return match;
  throw new UsageError(
    match === undefined
      ? `There is no integration with the id or name ${JSON.stringify(reference)}.${suggestion(reference, names)} "integrations list" shows them.`
      : `${matches.length} integrations are named ${JSON.stringify(reference)}. Say which one by its id: ${matches.map(({ id }) => id).join(', ')}.`,
  );
}

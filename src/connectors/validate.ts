import type { z } from 'zod';
import { checkConnector } from './checks/checkConnector.ts';
import type { ConnectorProblem } from './errors.ts';
import { type Connector, connectorSchema } from './format.ts';
import { parseWithProblems } from './schemaProblems.ts';

/** Deeper than any request body; what goes deeper could end a checker's stack. */
const MAX_DEPTH = 30;
export const TOO_DEEP = `is nested more than ${MAX_DEPTH} levels deep.`;

/** Checks a description as a whole: its form, then whether its parts fit together. */
export function validateConnector(value: unknown): { connector: Connector } | { problems: ConnectorProblem[] } {
  if (isTooDeep(value)) return { problems: [{ path: [], message: TOO_DEEP }] };
  const parsed = parseWithProblems(connectorSchema as z.ZodType<Connector>, value);
  if ('problems' in parsed) return parsed;
  const problems = checkConnector(parsed.data);
  return problems.length > 0 ? { problems } : { connector: parsed.data };
}

/** Whether a value is nested too deeply to be looked through. */
export function isTooDeep(value: unknown, levels = MAX_DEPTH): boolean {
  if (value === null || typeof value !== 'object') return false;
  return levels === 0 || Object.values(value).some((one) => isTooDeep(one, levels - 1));
}

import type { z } from 'zod';
import { checkConnector } from './checks/checkConnector.ts';
import type { ConnectorProblem } from './errors.ts';
import { type Connector, connectorSchema } from './format.ts';
import { parseWithProblems } from './schemaProblems.ts';

/** Checks a description as a whole: its form, then whether its parts fit together. */
export function validateConnector(value: unknown): { connector: Connector } | { problems: ConnectorProblem[] } {
  const parsed = parseWithProblems(connectorSchema as z.ZodType<Connector>, value);
  if ('problems' in parsed) return parsed;
  const problems = checkConnector(parsed.data);
  return problems.length > 0 ? { problems } : { connector: parsed.data };
}

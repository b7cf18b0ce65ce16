import type { Environment } from './env.ts';
import type { ConfigurationProblem } from './errors.ts';
import { type ParsedVariables, VARIABLES } from './variables.ts';

/** What is wrong with variables that are right by themselves. */
export function crossCheck(environment: Environment, parsed: ParsedVariables): ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  const stack = ['VITE_STACK_PROJECT_ID', 'VITE_STACK_PUBLISHABLE_CLIENT_KEY', 'STACK_SECRET_SERVER_KEY'];
  const set = stack.filter((name) => environment[name] !== undefined);
  if (set.length > 0 && set.length < stack.length) {
    for (const name of stack.filter((one) => !set.includes(one))) {
      problems.push({
        variable: name,
        got: 'nothing',
        takes: `a value, because ${set.join(' and ')} is set: Stack Auth needs all three`,
      });
    }
  }
  if ((environment.SMTP_URL === undefined) !== (environment.SMTP_FROM === undefined)) {
    const name = environment.SMTP_URL === undefined ? 'SMTP_URL' : 'SMTP_FROM';
    problems.push({
      variable: name,
      got: 'nothing',
      takes: `${VARIABLES[name][1]}; SMTP_URL and SMTP_FROM go together`,
    });
  }
  if (parsed.NODE_ENV === 'production') {
    for (const name of ['ENCRYPTION_SECRET', 'JWT_SECRET', 'API_KEY'] as const) {
      if (environment[name] === undefined) {
        problems.push({
          variable: name,
          got: 'nothing',
          takes: `${VARIABLES[name][1]}; required with NODE_ENV=production`,
        });
      }
    }
    if (parsed.JWT_SECRET !== undefined && parsed.JWT_SECRET === parsed.ENCRYPTION_SECRET) {
      problems.push({ variable: 'JWT_SECRET', got: 'the value of ENCRYPTION_SECRET', takes: 'a secret of its own' });
    }
  }
  return problems;
}

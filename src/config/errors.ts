import { AppError } from '../core/errors.ts';

export interface ConfigurationProblem {
  readonly variable: string;
  /** What it is set to; secrets are described, never shown. */
  readonly got: string;
  readonly takes: string;
}

/** The environment is wrong; the start stops here. The message lists every problem. */
export class ConfigurationError extends AppError {
  readonly code = 'INVALID_CONFIGURATION';
  readonly problems: readonly ConfigurationProblem[];

  constructor(problems: readonly ConfigurationProblem[]) {
    const lines = problems.map(({ variable, got, takes }) => `  ${variable}: got ${got}; takes ${takes}`);
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${lines.join('\n')}`,
      {
        details: { problems },
      },
    );
    this.problems = problems;
  }
}

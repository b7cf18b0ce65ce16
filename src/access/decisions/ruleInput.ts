import { z } from 'zod';
import type { InputProblem } from '../../core/errors.ts';
import { isAboutIntegrations, patternProblem, permissionsMatching } from './permissionNames.ts';
import type { Scope } from './scope.ts';

const MAX_PATTERNS = 50;

/** Names and patterns of permissions. */
export const patternsSchema = z
  .array(
    z
      .string()
      .max(100)
      .superRefine((text, context) => {
        const problem = patternProblem(text);
        if (problem !== null)
          context.addIssue({ code: 'custom', message: `takes a permission or pattern. ${problem}` });
      }),
  )
  .min(1)
  .max(MAX_PATTERNS)
  .transform((list) => [...new Set(list)]);

/** What of the permissions can never count on this scope: it is about the whole installation. */
export function scopeProblems(patterns: readonly string[], scope: Scope): InputProblem[] {
  if (scope.kind === 'all') return [];
  return patterns
    .filter((pattern) => !permissionsMatching(pattern).some(isAboutIntegrations))
    .map((pattern) => ({
      pointer: '/scope',
      detail: `${pattern} is about the whole installation, so it takes the scope {"kind": "all"}.`,
    }));
}

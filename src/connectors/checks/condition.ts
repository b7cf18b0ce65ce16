import type { Condition } from '../format/parts.ts';
import type { Report } from './report.ts';

/** A condition that can hold and tests something. */
export function checkCondition(report: Report, path: readonly (string | number)[], condition: Condition): void {
  report.jsonPath([...path, 'path'], condition.path);
  report.pattern([...path, 'matches'], condition.matches);
  if (Object.keys(condition).length === 1)
    report.add(path, 'has a path but no test; add exists, equals, notEquals, in or matches.');
}

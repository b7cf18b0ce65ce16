import type { Connector } from '../format.ts';
import { checkCondition } from './condition.ts';
import type { Report } from './report.ts';

/** Rules that can hold, with patterns that work. */
export function checkErrors(report: Report, { errors }: Connector): void {
  report.jsonPaths(['errors', 'codePath'], errors.codePath);
  report.jsonPaths(['errors', 'messagePath'], errors.messagePath);
  for (const [index, { when }] of errors.rules.entries()) {
    const path = ['errors', 'rules', index, 'when'];
    if (Object.values(when).every((part) => part === undefined))
      report.add(
        path,
        'is empty, so the rule would hold for every answer; name a status, code, header, body or message.',
      );
    if (when.code !== undefined && errors.codePath === undefined)
      report.add([...path, 'code'], 'needs "errors.codePath", which says where an answer carries the code.');
    if (when.message !== undefined && errors.messagePath === undefined)
      report.add([...path, 'message'], 'needs "errors.messagePath", which says where an answer carries the message.');
    for (const [number, condition] of [when.body ?? []].flat().entries()) {
      const at = Array.isArray(when.body) ? [...path, 'body', number] : [...path, 'body'];
      checkCondition(report, at, condition);
    }
    report.pattern([...path, 'header', 'matches'], when.header?.matches);
    report.pattern([...path, 'message'], when.message);
  }
}

/** Header sets from which a budget can be read. */
export function checkRateLimit(report: Report, { rateLimit }: Connector): void {
  if (rateLimit.headers === 'standard') return;
  for (const [index, set] of rateLimit.headers.entries()) {
    const path = ['rateLimit', 'headers', index];
    if (set.usedOfLimit !== undefined) {
      if (set.restorePerSecond === undefined)
        report.add(path, 'has "usedOfLimit" without "restorePerSecond": how many requests are given back each second?');
    } else if (set.remaining === undefined || set.reset === undefined)
      report.add(
        path,
        'needs "remaining" and "reset" (or "usedOfLimit"): without them nothing can be told from the headers.',
      );
  }
}

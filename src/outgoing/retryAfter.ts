/** The three date formats of RFC 9110, section 5.6.7, all in GMT. */
const HTTP_DATES = [
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

/**
 * The wait that a Retry-After header asks for, in milliseconds: seconds (fractions too, which some providers send)
 * or an HTTP date. A date that has passed asks for 0. Undefined for no header, a negative number or anything else.
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  const text = value?.trim() ?? '';
  // A header that came twice is joined by ", "; the longer wait holds.
  if (/^\d+(\.\d+)?(\s*,\s*\d+(\.\d+)?)*$/.test(text))
    return Math.ceil(Math.max(...text.split(',').map(Number)) * 1000);
  if (!HTTP_DATES.some((form) => form.test(text))) return undefined;
  const atMs = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

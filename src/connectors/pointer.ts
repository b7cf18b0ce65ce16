/** A JSON Pointer (RFC 6901). */
export function pointer(...path: (string | number)[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

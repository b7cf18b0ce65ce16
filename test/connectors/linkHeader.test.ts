import { describe, expect, it } from 'vitest';
import { linkTarget } from '../../src/connectors/pagination/linkHeader.ts';
import { inLimitedTime } from './support/limitedTime.ts';

describe('a Link header', () => {
  it.each([
    ['<https://a.example/?p=2>; rel="next"', 'https://a.example/?p=2'],
    ['</1>; rel="prev", </3>; title="a, b; c"; rel=next', '/3'],
    ['<</3>; rel="next"', '/3'],
    ['</3; rel="next"', undefined],
  ])('%s leads to %s', (header, target) => {
    expect(linkTarget(header, 'next')).toBe(target);
  });

  it.each([
    ['opened again and again', '<'.repeat(200_000)],
    ['with a text that never ends', `${'</a>;a="\\"'.repeat(20_000)}`],
    ['with long gaps', `</a>;${' '.repeat(200_000)}<`],
    ['with many parameters', `</a>${';a = b'.repeat(30_000)}`],
  ])('%s costs no more than its length', (_name, header) => {
    expect(inLimitedTime(() => linkTarget(header, 'next'))).toBeUndefined();
  });
});

import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { prettyLog } from '../../src/cli/prettyLog.ts';

describe('the log for a person', () => {
  const write = (minimum: number, use: (log: ReturnType<typeof prettyLog>) => void): string => {
    const stream = new PassThrough();
    use(prettyLog(minimum, stream as unknown as NodeJS.WriteStream));
    return String(stream.read() ?? '');
  };

  test('is a line each: time, level, message, fields', () => {
    const text = write(30, (log) => log.info('sync finished', { runId: 'syn_1', records: 25, why: 'two words' }));
    expect(text).toMatch(/^\d\d:\d\d:\d\d info {2}sync finished runId=syn_1 records=25 why="two words"\n$/);
  });

  test('lets through from its level on', () => {
    const all = (log: ReturnType<typeof prettyLog>): void => {
      log.debug('d');
      log.info('i');
      log.warn('w');
      log.error('e');
    };
    expect(write(20, all).split('\n')).toHaveLength(5);
    expect(write(40, all)).toMatch(/^\S+ warn {2}w\n\S+ error e\n$/);
  });

  test('can neither be broken into lines nor steer the terminal by what others sent', () => {
    const text = write(20, (log) => log.warn('a\nfake line\u001b[2J', { said: '\u001b]0;title\u0007\r\n\u009b31m' }));
    expect(text.match(/\n/g)).toHaveLength(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
    expect(text.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });
});

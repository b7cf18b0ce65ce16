import { stripVTControlCharacters, styleText } from 'node:util';
import { errorMessage } from '../core/errors.ts';
import type { Log } from '../core/log.ts';

type Method = Exclude<keyof Log, 'isVerbose'>;

const METHODS: Readonly<
  Record<Method, { readonly value: number; readonly color: 'gray' | 'cyan' | 'yellow' | 'red' }>
> = {
  debug: { value: 20, color: 'gray' },
  verbose: { value: 25, color: 'gray' },
  info: { value: 30, color: 'cyan' },
  warn: { value: 40, color: 'yellow' },
  error: { value: 50, color: 'red' },
  critical: { value: 60, color: 'red' },
};

/** One line each: time, level, message, fields. What others sent can neither break a line nor steer the terminal. */
export function prettyLog(minimum: number, stream: NodeJS.WriteStream): Log {
  const write =
    (method: Method) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      const { value, color } = METHODS[method];
      if (value < minimum) return;
      const time = styleText('gray', new Date().toTimeString().slice(0, 8), { stream });
      const level = styleText(color, method.padEnd(5), { stream });
      const rest = Object.entries(fields).map(
        ([key, field]) => `${styleText('gray', `${key}=`, { stream })}${text(field)}`,
      );
      stream.write(`${[time, level, clean(message), ...rest].join(' ')}\n`);
    };
  return {
    debug: write('debug'),
    verbose: write('verbose'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    critical: write('critical'),
  };
}

function text(value: unknown): string {
  if (value instanceof Error) return clean(JSON.stringify(errorMessage(value)));
  if (isWrittenError(value)) return clean(JSON.stringify(value.message));
  const written = typeof value === 'string' && /^\S+$/.test(value) ? value : (JSON.stringify(value) ?? 'undefined');
  return clean(written);
}

/** Without colours and cursor movements, and with control characters (line ends too) shown as escapes. */
export function clean(line: string): string {
  return stripVTControlCharacters(line).replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** As the log's records hold an error, with its stack, which is for the store and not for a line. */
function isWrittenError(value: unknown): value is { readonly message: string } {
  return typeof value === 'object' && value !== null && 'type' in value && 'message' in value && 'stack' in value;
}

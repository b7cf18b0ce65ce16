import { once } from 'node:events';
import { styleText } from 'node:util';
import { clean } from './prettyLog.ts';

type Cell = string | number | null;
type Style = Parameters<typeof styleText>[0];

/** What a command says: data on stdout, words on stderr. Colours only where the stream is a terminal and NO_COLOR is not set. */
export interface Output {
  /** `--json`: data is one JSON document, and no hints are given. */
  readonly json: boolean;
  /** One JSON document on stdout. */
  data(value: unknown): void;
  /** A line on stdout. */
  line(text: string): void;
  /** Columns on stdout, as wide as their content. */
  table(columns: readonly string[], rows: readonly (readonly Cell[])[]): void;
  /** Text on stdout as it is, at the reader's pace. */
  write(chunk: string): Promise<void>;
  /** A line on stderr. */
  say(text: string): void;
  /** On stderr, what to do next. */
  hint(text: string): void;
}

export function createOutput(json: boolean): Output {
  const { stdout, stderr } = process;
  const line = (text: string): void => {
    stdout.write(`${text}\n`);
  };
  const say = (text: string): void => {
    stderr.write(`${text}\n`);
  };
  return {
    json,
    data: (value) => line(JSON.stringify(value, null, 2)),
    line,
    table(columns, rows) {
      const texts = rows.map((row) => row.map((cell) => (cell === null ? '–' : clean(String(cell)))));
      const widths = columns.map((name, at) => Math.max(name.length, ...texts.map((row) => row[at]?.length ?? 0)));
      const join = (cells: readonly string[]): string =>
        cells
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd();
      line(style('bold', join(columns)));
      for (const row of texts) line(join(row));
    },
    async write(chunk) {
      if (!stdout.write(chunk)) await once(stdout, 'drain');
    },
    say,
    hint(text) {
      if (!json) say(style('dim', `→ ${text}`, stderr));
    },
  };
}

export function style(format: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(format, text, { stream });
}

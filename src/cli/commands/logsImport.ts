import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Command } from 'commander';
import { command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { withApp } from '../openApp.ts';

interface Options {
  readonly keep?: string;
}

export function logsImport(): Command {
  return command<Options>(
    'import <place>',
    'Bring archived logs back: a folder, a file, or s3://bucket/prefix',
    (invocation) => {
      const { args, options, out, signal } = invocation;
      return withApp(invocation, async (app) => {
        const { place, prefix } = await placeOf(args[0]!);
        const endpoint = app.config.logArchive?.endpoint ?? null;
        const keepDays = options.keep === undefined ? undefined : daysOf(options.keep);
        const result = await app.logKeeping.importArchive({ place, endpoint }, { prefix, keepDays, signal });
        if (out.json) out.data(result);
        else {
          const { records, added, days } = result;
          out.say(
            `${records} records of ${days.length} ${days.length === 1 ? 'day' : 'days'}; ${added} of them were not there.`,
          );
        }
      });
    },
  ).option('--keep <days>', 'how many days retention leaves them alone (default: 7)');
}

function daysOf(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new UsageError(`--keep takes a number of days, not ${JSON.stringify(text)}.`);
  return Number(text);
}

/** A file is a part of the folder that it is in. */
async function placeOf(text: string): Promise<{ place: string; prefix: string }> {
  if (text.startsWith('s3://')) return { place: text, prefix: '' };
  const found = await stat(text).catch(() => null);
  if (found === null) throw new UsageError(`There is no file or folder ${text}.`);
  return found.isDirectory() ? { place: text, prefix: '' } : { place: dirname(text), prefix: basename(text) };
}

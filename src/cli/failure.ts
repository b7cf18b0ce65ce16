import { CommanderError } from 'commander';
import { AppError, errorMessage, InvalidInputError } from '../core/errors.ts';
import { EXIT } from './exitCodes.ts';
import { style } from './output.ts';

/** Says on stderr why a command failed, and sets the exit code. */
export function reportFailure(error: unknown, json: boolean): void {
  if (error instanceof CommanderError) {
    // Help and version end this way too; commander has printed the text unless it was told to be silent.
    process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
    if (json && error.exitCode !== 0) printJson('USAGE', error.message.replace(/^error: /, ''));
    return;
  }
  if (process.exitCode === EXIT.interrupted || process.exitCode === EXIT.terminated) {
    if (json) printJson('ABORTED', 'Interrupted.');
    else process.stderr.write('Interrupted.\n');
    return;
  }
  process.exitCode = isUsage(error) ? EXIT.usage : EXIT.failed;
  if (json) printJson(codeOf(error), errorMessage(error), error instanceof AppError ? error.details : undefined);
  else process.stderr.write(`${style('red', 'error:', process.stderr)} ${words(error)}\n`);
}

function isUsage(error: unknown): boolean {
  return error instanceof InvalidInputError || ['USAGE', 'INVALID_LOG_QUERY'].includes(codeOf(error));
}

function codeOf(error: unknown): string {
  return error instanceof AppError ? error.code : 'UNEXPECTED';
}

function words(error: unknown): string {
  if (error instanceof InvalidInputError && error.problems.length > 1) {
    const lines = error.problems.map(({ pointer, detail }) => `  ${pointer.slice(1).replaceAll('/', '.')}: ${detail}`);
    return `${error.message.split('. ')[0]}:\n${lines.join('\n')}`;
  }
  if (error instanceof AppError) return error.message;
  // Not foreseen, so whoever mends it needs the place.
  return `This should not have happened. ${error instanceof Error ? (error.stack ?? error.message) : errorMessage(error)}`;
}

function printJson(code: string, message: string, details?: object): void {
  process.stderr.write(`${JSON.stringify({ error: { code, message, ...details } })}\n`);
}

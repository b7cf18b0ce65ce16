import { autocomplete, type CANCEL_SYMBOL, confirm, isCancel, password, select, text } from '@clack/prompts';
import { AbortedError } from '../core/errors.ts';
import type { Invocation } from './command.ts';
import { UsageError } from './errors.ts';
import { EXIT } from './exitCodes.ts';

// Prompts are words, not data.
const output = process.stderr;

/** The answer to a prompt; leaving it with Ctrl-C or Escape ends the command. */
async function answer<T>(prompt: Promise<T | typeof CANCEL_SYMBOL>): Promise<T> {
  const value = await prompt;
  if (!isCancel(value)) return value as T;
  process.exitCode = EXIT.interrupted;
  throw new AbortedError('Interrupted.');
}

export interface Question {
  readonly message: string;
  readonly placeholder?: string;
  readonly initialValue?: string;
  readonly required?: boolean;
  /** What is wrong with the value, or undefined. */
  readonly check?: (value: string) => string | undefined;
}

const validateWith =
  ({ required = true, check }: Question) =>
  (value: string | undefined): string | undefined => {
    if (value === undefined || value === '') return required ? 'This is needed.' : undefined;
    return check?.(value);
  };

/** '' when it is not required and was left empty. */
export async function askText(question: Question): Promise<string> {
  const { message, placeholder, initialValue } = question;
  return (await answer(text({ message, placeholder, initialValue, validate: validateWith(question), output }))) ?? '';
}

/** As `askText`, without showing what is typed. */
export async function askSecret(question: Question): Promise<string> {
  return (await answer(password({ message: question.message, validate: validateWith(question), output }))) ?? '';
}

interface Choice {
  readonly value: string;
  readonly label: string;
  readonly hint?: string;
}

export function choose(message: string, options: readonly Choice[]): Promise<string> {
  const choices = { message, options: [...options], output };
  return answer(options.length > 8 ? autocomplete({ ...choices, maxItems: 8 }) : select(choices));
}

/** Asks before something that cannot be undone; `--yes` answers beforehand. */
export async function confirmOrRefuse(
  { interactive, options }: Invocation<{ readonly yes?: boolean }>,
  message: string,
): Promise<void> {
  if (options.yes === true) return;
  if (!interactive) throw new UsageError(`${message} Nobody can be asked here; add --yes to say that it is meant.`);
  if (await answer(confirm({ message, initialValue: false, output }))) return;
  throw new AbortedError('Nothing was done.');
}

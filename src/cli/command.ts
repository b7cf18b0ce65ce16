import { Command } from 'commander';
import { type Environment, readEnvironment } from '../config/env.ts';
import { interruption } from './interruption.ts';
import { createOutput, type Output } from './output.ts';

/** What a command gets to work with. */
export interface Invocation<Options> {
  readonly args: readonly string[];
  readonly options: Options;
  readonly out: Output;
  readonly environment: Environment;
  /** Whether a person can be asked: neither with `--json` nor without a terminal. */
  readonly interactive: boolean;
  /** Fires on Ctrl-C and SIGTERM; a second Ctrl-C ends the process at once. */
  readonly signal: AbortSignal;
}

/** A command that only holds others. */
export function group(name: string, summary: string, commands: readonly Command[]): Command {
  const parent = house(new Command(name).description(summary));
  for (const one of commands) parent.addCommand(one);
  return parent;
}

/** A command that does something. `name` includes its arguments, as in `test <integration>`. */
export function command<Options extends object = object>(
  name: string,
  summary: string,
  run: (invocation: Invocation<Options>) => Promise<void>,
  // The server's shutdown is longer than a command's, and its own.
  { handlesSignals = false }: { readonly handlesSignals?: boolean } = {},
): Command {
  const [word, ...args] = name.split(' ');
  const made = house(new Command(word).description(summary)).option('--json', 'print JSON on stdout, for programs');
  for (const one of args) made.argument(one);
  return made.action(async () => {
    // A command that has others below it takes their --json for its own.
    const options = made.optsWithGlobals<Options & { json?: true }>();
    await run({
      args: made.args,
      options,
      out: createOutput(options.json ?? false),
      environment: readEnvironment(),
      interactive: !options.json && process.stdin.isTTY === true && process.stderr.isTTY === true,
      signal: handlesSignals ? new AbortController().signal : interruption(),
    });
  });
}

/** Errors come to main.ts, which knows the exit codes. */
function house(made: Command): Command {
  return made.exitOverride().showHelpAfterError('(add --help for what it takes)');
}

/** Takes an option that may be repeated. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

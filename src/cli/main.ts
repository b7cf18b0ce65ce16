import { reportFailure } from './failure.ts';
import { buildProgram } from './program.ts';

/** Runs one command line; the result is in `process.exitCode`. */
export async function main(args: readonly string[]): Promise<void> {
  // The reader of our output may leave early, as `head` does.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  const json = args.includes('--json');
  try {
    await buildProgram(json).parseAsync(args, { from: 'user' });
  } catch (error) {
    reportFailure(error, json);
  }
}

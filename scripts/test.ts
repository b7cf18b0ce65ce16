// npm test: runs the suites once.
//
//   npm test                                             everything but the slow ones
//   npm test -- --testPathPattern=integrationServices    files whose path matches (also --testPathPatterns, or a plain word)
//   npm test -- --coverage
//   npm run test:slow                                    the slow ones (*.slow.test.ts)
//
// Other options are handed to vitest, as --name=value.

import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const PATTERN_OPTIONS = ['--testPathPattern', '--testPathPatterns'];
const NAME_OPTIONS = ['-t', '--testNamePattern'];

const patterns: string[] = [];
const passedOn: string[] = [];
let slow = false;
const rest = process.argv.slice(2);
for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
  const [name, value] = splitOption(argument);
  if (PATTERN_OPTIONS.includes(name)) patterns.push(value ?? rest.shift() ?? '');
  else if (NAME_OPTIONS.includes(name)) passedOn.push(`--testNamePattern=${value ?? rest.shift() ?? ''}`);
  else if (argument === '--slow') slow = true;
  else if (argument.startsWith('-')) passedOn.push(argument);
  else patterns.push(argument);
}

const files = globSync('test/**/*.test.ts', { cwd: root })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.slow.test.ts') === slow)
  .filter((file) => patterns.length === 0 || patterns.some((pattern) => matches(file, pattern)));
if (files.length === 0) {
  const which = slow ? 'slow test' : 'test';
  console.error(`No ${which} file${patterns.length > 0 ? `'s path matches ${patterns.join(' or ')}` : ''}.`);
  process.exit(1);
}

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
// Without a pattern vitest finds the same files itself, and tells of folders it has been told to leave out.
const selection = patterns.length === 0 ? [] : files;
spawn(process.execPath, [vitest, 'run', ...passedOn, ...selection], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, ...(slow && { TEST_SLOW: '1' }) },
}).on('close', (code, signal) => {
  process.exitCode = signal ? 1 : (code ?? 1);
});

function splitOption(argument: string): [string, string | undefined] {
  const [name, ...value] = argument.split('=');
  return [name!, value.length > 0 ? value.join('=') : undefined];
}

/** Patterns are regular expressions, as Jest's are; one that is none is looked for as it stands. */
function matches(file: string, pattern: string): boolean {
  try {
    return new RegExp(pattern, 'i').test(file);
  } catch {
    return file.toLowerCase().includes(pattern.toLowerCase());
  }
}

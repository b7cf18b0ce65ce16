// npm run bench: runs every bench/*.ts, one after the other, each in a process of its own so that none warms or
// burdens the next. `npm run bench -- sync start` runs only those.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const known = globSync('bench/*.ts', { cwd: root }).sort();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !known.some((file) => basename(file, '.ts') === name));
if (unknown.length > 0) {
  console.error(
    `No bench is called ${unknown.join(', ')}. There are: ${known.map((file) => basename(file, '.ts')).join(', ')}.`,
  );
  process.exit(2);
}

for (const file of known) {
  const name = basename(file, '.ts');
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n── ${name}`);
  const url = pathToFileURL(`${root}/${file}`).href;
  const source = `const { run } = await import(${JSON.stringify(url)}); await run();`;
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '--eval', source], {
    cwd: root,
    stdio: 'inherit',
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) process.exitCode = 1;
}

import { readFileSync } from 'node:fs';

// package.json lies two folders up both from the sources and from the built files.
const packageJson = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');

export const VERSION: string = (JSON.parse(packageJson) as { version: string }).version;

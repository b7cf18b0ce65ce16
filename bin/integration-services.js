#!/usr/bin/env node
import './checkNode.js';
import { existsSync } from 'node:fs';

// A clone runs its sources, by type stripping; the package and the image hold only what `npm run build` made.
const sources = new URL('../src/cli/main.ts', import.meta.url);
const entry = existsSync(sources) ? sources : new URL('../dist/cli/main.js', import.meta.url);
const { main } = await import(entry.href);
await main(process.argv.slice(2));

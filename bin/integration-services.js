#!/usr/bin/env node
import './checkNode.js';
import './oneArena.js';
import { existsSync } from 'node:fs';
import nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

// A third of a command's time is otherwise spent on compiling. Where the folder cannot be written, nothing is kept.
nodeModule.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url)));

// A clone runs its sources, by type stripping; the package and the image hold only what `npm run build` made.
const sources = new URL('../src/cli/main.ts', import.meta.url);
const entry = existsSync(sources) ? sources : new URL('../dist/cli/main.js', import.meta.url);
const { main } = await import(entry.href);
await main(process.argv.slice(2));

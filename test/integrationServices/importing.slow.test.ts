import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

const services = readdirSync('src/services').filter((name) => name.endsWith('.ts'));

describe('importing a service', () => {
  it('finds services to import', () => {
    expect(services).toEqual(expect.arrayContaining(['integrationService.ts', 'credentialEncryption.ts']));
  });

  // A wrong environment and an empty folder: whoever reads, opens or writes anything at import shows it.
  it.each(services)('%s reads no environment, opens nothing, writes nothing and lets the process end', (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'import-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const script = `
      void [process.stdout, process.stderr]; // looking at them opens their pipes
      const before = process.getActiveResourcesInfo();
      const original = process.env;
      const read = [];
      process.env = new Proxy(original, { get: (target, key) => (read.push(String(key)), target[key]) });
      await import(${JSON.stringify(resolve('src/services', name))});
      await new Promise((resolve) => setTimeout(resolve, 100)); // what the loader itself had open is closed
      const ours = read.filter((key) => /DATABASE_URL|SECRET|DATA_DIR|^PORT$|^HOST$|LOG_LEVEL|API_KEY/.test(key));
      console.log(JSON.stringify({ ours, opened: process.getActiveResourcesInfo().slice(before.length) }));`;
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, PORT: 'not a port', DATABASE_URL: 'nonsense', DATA_DIR: folder },
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(JSON.parse(output)).toEqual({ ours: [], opened: [] });
    expect(readdirSync(folder)).toEqual([]);
  });
});

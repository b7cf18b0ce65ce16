import type { Command } from 'commander';
import type { Environment } from '../../config/env.ts';
import { command } from '../command.ts';
import type { Finding } from '../doctor/finding.ts';
import { EXIT } from '../exitCodes.ts';
import { style } from '../output.ts';

const MARKS = {
  pass: ['green', '✓'],
  warn: ['yellow', '!'],
  fail: ['red', '✗'],
} as const;

export function doctor(): Command {
  return command('doctor', 'Check this machine, the configuration and the database', async ({ environment, out }) => {
    const findings = await examine(environment);
    const failures = findings.filter(({ state }) => state === 'fail').length;
    if (failures > 0) process.exitCode = EXIT.failed;
    if (out.json) return out.data({ ok: failures === 0, findings });
    for (const { check, state, observed, advice } of findings) {
      const [color, mark] = MARKS[state];
      out.line(`${style(color, mark)} ${check}: ${observed}`);
      if (advice !== undefined) out.line(`    ${advice}`);
    }
    out.say(failures === 0 ? 'Nothing stands in the way.' : `${failures} to mend before it works.`);
  });
}

async function examine(environment: Environment): Promise<Finding[]> {
  const { checkConfiguration, checkDataFolder, checkDiskSpace, checkNode } = await import('../doctor/checkMachine.ts');
  const { config, findings } = checkConfiguration(environment);
  if (config === null) return [checkNode(), ...findings];
  const [{ checkDatabase }, { checkPort }, { checkRedis }] = await Promise.all([
    import('../doctor/checkDatabase.ts'),
    import('../doctor/checkPort.ts'),
    import('../doctor/checkRedis.ts'),
  ]);
  return [
    checkNode(),
    ...findings,
    checkDataFolder(config),
    checkDiskSpace(config),
    ...(await checkDatabase(config)),
    await checkPort(config),
    ...(await checkRedis(config)),
  ];
}

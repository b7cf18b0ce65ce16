import type { Command } from 'commander';
import type { App } from '../../app.ts';
import { command, type Invocation } from '../command.ts';
import { EXIT } from '../exitCodes.ts';
import { readInput } from '../inputFile.ts';
import { withLiveLine } from '../liveLine.ts';
import { withApp } from '../openApp.ts';
import { askSecret } from '../prompts.ts';

interface Options {
  readonly newSecretFile?: string;
}

export function credentialsRotate(): Command {
  return command<Options>(
    'rotate',
    'Seal all credentials under a new key, while everything runs; goes on where an interrupted rotation was',
    (invocation) =>
      withApp(invocation, (app) =>
        invocation.options.newSecretFile === undefined
          ? rotate(app, invocation)
          : changeSecret(app, invocation, invocation.options.newSecretFile),
      ),
  ).option('--new-secret-file <file>', 'instead, seal the keys under this new ENCRYPTION_SECRET; "-" reads stdin');
}

async function rotate({ database, keys, audit }: App, { out, signal }: Invocation<Options>): Promise<void> {
  const { rotateInstallationKey } = await import('../../credentials/rotation.ts');
  const result = await withLiveLine((show) =>
    rotateInstallationKey(database, keys, {
      signal,
      audit,
      onProgress: ({ rewrapped }) => show(`${rewrapped.toLocaleString('en')} sealed anew`),
    }),
  );
  if (result.unreadable > 0 || result.retiringKeyIds.length > 0) process.exitCode = EXIT.failed;
  if (out.json) return out.data(result);
  out.line(
    `${result.resumed ? 'Finished the rotation that was interrupted' : 'Rotated'}: ${result.rewrapped} sealed anew under ${result.keyId}.`,
  );
  if (result.unreadable > 0)
    out.say(
      `${result.unreadable} could not be opened (damaged) and were left as they are; enter those credentials again.`,
    );
  else if (result.retiringKeyIds.length > 0) out.say('Some rows stayed locked. Run it again to finish.');
  else if (result.resumed) out.hint('run it again for a new key');
}

async function changeSecret(
  { database, secrets, config, audit }: App,
  { out, interactive }: Invocation<Options>,
  file: string,
): Promise<void> {
  const { changeEncryptionSecret } = await import('../../credentials/secretChange.ts');
  const newSecret =
    file === '-' && interactive
      ? await askSecret({ message: 'The new ENCRYPTION_SECRET' })
      : (await readInput(file)).trim();
  const resealed = await changeEncryptionSecret(database, { oldSecret: secrets.encryptionSecret, newSecret, audit });
  if (out.json) return out.data({ resealed });
  out.line(`Sealed ${resealed} keys under the new secret.`);
  out.say(
    config.encryptionSecret === null
      ? 'Set ENCRYPTION_SECRET to it from now on: the one generated in the data folder opens nothing any more.'
      : 'Give it to every server as ENCRYPTION_SECRET and restart them.',
  );
}

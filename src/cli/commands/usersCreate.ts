import type { Command } from 'commander';
import type { App } from '../../app.ts';
import { command, type Invocation } from '../command.ts';
import { COMMAND_LINE } from '../commandLine.ts';
import { readInput } from '../inputFile.ts';
import { withApp } from '../openApp.ts';

interface Options {
  readonly name?: string;
  readonly role: string;
  readonly passwordFile?: string;
}

export function usersCreate(): Command {
  return command<Options>(
    'create <e-mail>',
    'Add a user; prints a one-time link to choose the password, unless one comes from a file',
    (invocation) => withApp(invocation, (app) => create(app, invocation)),
  )
    .option('--name <name>', 'what to call them; else the part of the address before the @')
    .option('--role <role>', 'what they may do', 'viewer')
    .option('--password-file <file>', 'a file with the password; "-" reads stdin');
}

async function create({ access: { accounts } }: App, { args, options, out }: Invocation<Options>): Promise<void> {
  const email = args[0]!;
  const { name = email.split('@')[0]!, role, passwordFile } = options;
  const password = passwordFile === undefined ? undefined : (await readInput(passwordFile)).replace(/\r?\n$/, '');
  const user = await accounts.users.create(COMMAND_LINE, { email, name, role, password });
  const link = password === undefined ? await accounts.passwords.makeResetLink(COMMAND_LINE, user.email) : null;
  if (out.json) return out.data({ ...user, link });
  out.say(`Created ${user.name} (${user.email}) as ${user.role}.`);
  if (link === null) return out.line(user.id);
  out.say('To choose a password, they open this link within an hour; it works once:');
  out.line(link);
}

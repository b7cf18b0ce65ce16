import type { Command } from 'commander';
import { VERSION } from '../http/version.ts';
import { group } from './command.ts';
import { accessFreeze, accessUnfreeze } from './commands/accessFreeze.ts';
import { alertsAck } from './commands/alertsAck.ts';
import { alertsChannelsTest } from './commands/alertsChannelsTest.ts';
import { alertsHistory } from './commands/alertsHistory.ts';
import { alertsList } from './commands/alertsList.ts';
import { alertsSilence } from './commands/alertsSilence.ts';
import { apiKeysCreate } from './commands/apiKeysCreate.ts';
import { apiKeysList } from './commands/apiKeysList.ts';
import { apiKeysRevoke } from './commands/apiKeysRevoke.ts';
import { apiKeysRotate } from './commands/apiKeysRotate.ts';
import { auditExport } from './commands/auditExport.ts';
import { auditKey } from './commands/auditKey.ts';
import { auditList } from './commands/auditList.ts';
import { auditProve } from './commands/auditProve.ts';
import { auditVerify } from './commands/auditVerify.ts';
import { connectorsList } from './commands/connectorsList.ts';
import { connectorsNew } from './commands/connectorsNew.ts';
import { connectorsShow } from './commands/connectorsShow.ts';
import { connectorsValidate } from './commands/connectorsValidate.ts';
import { credentialsRotate } from './commands/credentialsRotate.ts';
import { doctor } from './commands/doctor.ts';
import { integrationsConfirmDeletions } from './commands/integrationsConfirmDeletions.ts';
import { integrationsCreate } from './commands/integrationsCreate.ts';
import { integrationsDelete } from './commands/integrationsDelete.ts';
import { integrationsList } from './commands/integrationsList.ts';
import { integrationsSync } from './commands/integrationsSync.ts';
import { integrationsTest } from './commands/integrationsTest.ts';
import { logs } from './commands/logs.ts';
import { logsImport } from './commands/logsImport.ts';
import { migrate } from './commands/migrate.ts';
import { performance } from './commands/performance.ts';
import { performanceOptimize } from './commands/performanceOptimize.ts';
import { performanceRevert } from './commands/performanceRevert.ts';
import { performanceTuning } from './commands/performanceTuning.ts';
import { records } from './commands/records.ts';
import { start } from './commands/start.ts';
import { usersCreate } from './commands/usersCreate.ts';
import { usersDeactivate } from './commands/usersDeactivate.ts';
import { usersList } from './commands/usersList.ts';
import { usersResetPassword } from './commands/usersResetPassword.ts';
import { usersResetSecondFactor } from './commands/usersResetSecondFactor.ts';

/** Every command. Data goes to stdout, words to stderr; with `--json`, errors are JSON on stderr too. */
export function buildProgram(json: boolean): Command {
  const program = group('integration-services', 'Integrations: their credentials, syncs and records', [
    start(),
    migrate(),
    doctor(),
    group('integrations', 'Add, prove, sync and remove integrations', [
      integrationsList(),
      integrationsCreate(),
      integrationsTest(),
      integrationsSync(),
      integrationsConfirmDeletions(),
      integrationsDelete(),
    ]),
    records(),
    performance().addCommand(performanceOptimize()).addCommand(performanceRevert()).addCommand(performanceTuning()),
    logs().addCommand(logsImport()),
    group('connectors', 'The platforms and how they are described', [
      connectorsList(),
      connectorsShow(),
      connectorsValidate(),
      connectorsNew(),
    ]),
    group('api-keys', 'Keys of users, for programs', [
      apiKeysCreate(),
      apiKeysList(),
      apiKeysRotate(),
      apiKeysRevoke(),
    ]),
    group('access', 'Stopping what is compromised', [accessFreeze(), accessUnfreeze()]),
    group('credentials', 'The keys that credentials are sealed with', [credentialsRotate()]),
    group('audit', 'Who did what, and proof of it', [
      auditList(),
      auditExport(),
      auditVerify(),
      auditProve(),
      auditKey(),
    ]),
    group('alerts', 'What is wrong, and who is told', [
      alertsList(),
      alertsHistory(),
      alertsSilence(),
      alertsAck(),
      group('channels', 'Where notifications go', [alertsChannelsTest()]),
    ]),
    group('users', 'The people who may sign in', [
      usersList(),
      usersCreate(),
      usersResetPassword(),
      usersResetSecondFactor(),
      usersDeactivate(),
    ]),
  ]).version(VERSION);
  if (json) silence(program);
  return program;
}

/** Its usage errors are then printed as JSON, by failure.ts. */
function silence(program: Command): void {
  program.configureOutput({ writeErr: () => {} });
  for (const one of program.commands) silence(one);
}

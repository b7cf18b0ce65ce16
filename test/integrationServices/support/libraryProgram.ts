// A program that uses the library and ends without closing anything.
// Arguments: data folder, what to do, description of a provider.

const [dataDir, what, connector] = process.argv.slice(2);
Object.assign(process.env, {
  NODE_ENV: 'test',
  DATABASE_URL: '',
  DATA_DIR: dataDir,
  ALLOWED_PRIVATE_HOSTS: '127.0.0.1',
  DEFAULT_RATE_LIMIT: '100000',
});
const { integrationService } = await import('../../../src/services/integrationService.ts');

const add = () =>
  integrationService.createIntegration({
    name: 'of a program',
    platform: 'http',
    credentials: { apiKey: 'provider-key-7f3a9c' },
    configuration: { connector: JSON.parse(connector!) },
  });

switch (what) {
  case 'read':
    console.log(`integrations: ${(await integrationService.getIntegrations()).length}`);
    break;
  case 'sync': {
    const { status, recordsAdded } = await integrationService.syncIntegration((await add()).id);
    console.log(`${status}: ${recordsAdded}`);
    break;
  }
  case 'start':
    await integrationService.startSync((await add()).id);
    console.log('started');
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectorNotFoundError, InvalidConnectorError } from '../../src/connectors/errors.ts';
import { ConnectorRegistry } from '../../src/connectors/registry.ts';
import { unheardAudit } from '../support/audit.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { VALID } from './support/brokenConnectors.ts';

const database = useTestDatabase();
const titled = (title: string, platform = 'acme'): string =>
  VALID.replace('title: Acme', `title: ${title}`).replace('platform: acme', `platform: ${platform}`);

describe('the registry', () => {
  it('knows what comes with the product', async () => {
    const registry = new ConnectorRegistry(database.current, unheardAudit);
    const platforms = (await registry.list()).map((connector) => connector.platform);
    expect(platforms).toContain('github');
    expect(platforms).toEqual([...platforms].sort());
    expect((await registry.get('github'))?.title).toBe('GitHub');
    expect(await registry.get('nothing')).toBeNull();
    expect(await registry.get('../package')).toBeNull();
  });

  it('takes a new platform at once, and its newest version counts', async () => {
    const registry = new ConnectorRegistry(database.current, unheardAudit);
    expect(await registry.get('acme')).toBeNull();
    expect(await registry.save(titled('First'))).toMatchObject({ version: 1, connector: { title: 'First' } });
    expect((await registry.get('acme'))?.title).toBe('First');
    expect((await registry.save(titled('Second'))).version).toBe(2);
    expect((await registry.get('acme'))?.title).toBe('Second');
    expect((await registry.list()).filter(({ platform }) => platform === 'acme')).toHaveLength(1);
    await registry.remove('acme');
    expect(await registry.get('acme')).toBeNull();
    // Versions go on, so that no replica takes a new one for one it knows.
    expect((await registry.save(titled('Third'))).version).toBe(3);
    await registry.remove('acme');
  });

  it('shows another replica’s changes within a second', async () => {
    const [here, there] = [
      new ConnectorRegistry(database.current, unheardAudit),
      new ConnectorRegistry(database.current, unheardAudit),
    ];
    expect(await there.get('acme')).toBeNull();
    await here.save(titled('Elsewhere'));
    await eventually('the new platform', async () => (await there.get('acme'))?.title === 'Elsewhere');
    await here.remove('acme');
    await eventually('its removal', async () => (await there.get('acme')) === null);
  });

  it('lets a run-time platform win over a file, until it is removed', async () => {
    const registry = new ConnectorRegistry(database.current, unheardAudit);
    await registry.save(titled('Our GitHub', 'github'));
    expect((await registry.get('github'))?.title).toBe('Our GitHub');
    await registry.remove('github');
    expect((await registry.get('github'))?.title).toBe('GitHub');
  });

  it('numbers versions that are saved at once one by one', async () => {
    const registry = new ConnectorRegistry(database.current, unheardAudit);
    const saved = await Promise.all([1, 2, 3, 4, 5].map((index) => registry.save(titled(`T${index}`, 'race'))));
    expect(saved.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4, 5]);
    const newest = saved.find(({ version }) => version === 5)!;
    expect((await registry.get('race'))?.title).toBe(newest.connector.title);
    await registry.remove('race');
  });

  it('stores nothing that is not valid', async () => {
    const registry = new ConnectorRegistry(database.current, unheardAudit);
    await expect(registry.save(VALID.replace('title: Acme', 'titel: Acme'))).rejects.toBeInstanceOf(
      InvalidConnectorError,
    );
    await expect(registry.save(titled('Http', 'http'))).rejects.toThrow(
      'stands for APIs described in an integration itself',
    );
    expect(await registry.get('acme')).toBeNull();
  });

  it('says what cannot be removed', async () => {
    const registry = new ConnectorRegistry(database.current, unheardAudit);
    await expect(registry.remove('github')).rejects.toThrow('"github" comes with the product and cannot be removed');
    await expect(registry.remove('nothing')).rejects.toBeInstanceOf(ConnectorNotFoundError);
  });

  it('leaves a stored platform of another format out of the list, and says why when it is asked for', async () => {
    const registry = new ConnectorRegistry(database.current, unheardAudit);
    await database.current.db
      .insertInto('connectors')
      .values({ platform: 'old', version: 1, source: 'platform: old' })
      .execute();
    expect((await registry.list()).map(({ platform }) => platform)).not.toContain('old');
    await expect(registry.get('old')).rejects.toThrow('old@1:1:1 title: is required (a text).');
    await registry.remove('old');
  });
});

describe('a folder of connectors', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'connectors-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('is read once, when it is first needed', async () => {
    await writeFile(join(folder, 'acme.yaml'), titled('From file'));
    const registry = new ConnectorRegistry(database.current, unheardAudit, pathToFileURL(`${folder}/`));
    const first = await registry.get('acme');
    expect(first?.title).toBe('From file');
    await writeFile(join(folder, 'acme.yaml'), titled('Changed'));
    expect(await registry.get('acme')).toBe(first);
  });
});

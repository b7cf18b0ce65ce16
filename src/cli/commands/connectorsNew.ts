import { writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { errorMessage } from '../../core/errors.ts';
import { command, type Invocation } from '../command.ts';
import { AUTH_KINDS, type AuthKind, type ConnectorDraft, draftConnector } from '../connectorDraft.ts';
import { UsageError } from '../errors.ts';
import { askText, choose } from '../prompts.ts';

interface Options {
  readonly title?: string;
  readonly baseUrl?: string;
  readonly auth?: AuthKind;
  readonly file?: string;
}

export function connectorsNew(): Command {
  return command<Options>('new <platform>', 'Write a connector file to start from', async (invocation) => {
    const { args, options, out } = invocation;
    const [platform = ''] = args;
    const file = options.file ?? `${platform}.yaml`;
    const source = draftConnector(await complete(platform, invocation));
    const { parseConnector } = await import('../../connectors/loader.ts');
    parseConnector(source, file);
    await writeNew(file, source);
    if (out.json) return out.data({ platform, file });
    out.line(file);
    out.hint(`fill it in, then: integration-services connectors validate ${file}`);
    out.hint(`use it: integration-services integrations create --platform http --connector-file ${file}`);
  })
    .option('--title <title>', 'what people call the platform')
    .option('--base-url <url>', 'where its API is')
    .addOption(new Option('--auth <kind>', 'how requests authenticate').choices(AUTH_KINDS))
    .option('--file <file>', 'where to write it; default <platform>.yaml');
}

async function complete(platform: string, { options, interactive }: Invocation<Options>): Promise<ConnectorDraft> {
  if (!/^[a-z][a-z0-9_-]{0,62}$/.test(platform)) {
    throw new UsageError(
      `A platform's name takes lower-case letters, digits, "_" and "-", and starts with a letter; got ${JSON.stringify(platform)}.`,
    );
  }
  const title = options.title ?? platform;
  if (options.baseUrl !== undefined && urlProblem(options.baseUrl) !== undefined)
    throw new UsageError(`--base-url: ${urlProblem(options.baseUrl)}`);
  if (!interactive && options.baseUrl === undefined)
    throw new UsageError('--base-url must be given: where the API is.');
  const baseUrl =
    options.baseUrl ??
    (await askText({ message: 'Where is its API?', placeholder: 'https://api.example.com/v1', check: urlProblem }));
  const auth =
    options.auth ??
    (interactive
      ? ((await choose(
          'How do requests authenticate?',
          AUTH_KINDS.map((kind) => ({ value: kind, label: kind })),
        )) as AuthKind)
      : 'bearer');
  return { platform, title, baseUrl, auth };
}

function urlProblem(text: string): string | undefined {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return undefined;
  return `This takes an http or https address, such as https://api.example.com/v1; got ${JSON.stringify(text)}.`;
}

async function writeNew(file: string, source: string): Promise<void> {
  try {
    await writeFile(file, source, { flag: 'wx' });
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw new UsageError(
      exists
        ? `${file} exists already. Take another --file, or move it away.`
        : `${file} cannot be written: ${errorMessage(error)}`,
    );
  }
}

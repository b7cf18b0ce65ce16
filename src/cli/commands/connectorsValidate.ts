import type { Command } from 'commander';
import { InvalidConnectorError, type LocatedProblem } from '../../connectors/errors.ts';
import { command } from '../command.ts';
import { EXIT } from '../exitCodes.ts';
import { readInput } from '../inputFile.ts';

interface Verdict {
  readonly file: string;
  readonly platform?: string;
  readonly streams?: number;
  readonly problems: readonly LocatedProblem[];
}

export function connectorsValidate(): Command {
  return command('validate <files...>', 'Check connector files; "-" reads stdin', async ({ args, out }) => {
    const verdicts: Verdict[] = [];
    for (const file of args) verdicts.push(await judge(file, await readInput(file)));
    if (verdicts.some(({ problems }) => problems.length > 0)) process.exitCode = EXIT.failed;
    if (out.json) return out.data(verdicts);
    for (const { file, platform, streams, problems } of verdicts) {
      if (platform !== undefined) out.line(`${file}: valid (${platform}, ${streams} streams)`);
      for (const { line, column, path, message } of problems) {
        out.line(`${file}:${line}:${column}${path.length > 0 ? ` ${path.join('.')}` : ''}: ${message}`);
      }
    }
  });
}

async function judge(file: string, source: string): Promise<Verdict> {
  const { parseConnector } = await import('../../connectors/loader.ts');
  try {
    const { platform, streams } = parseConnector(source, file);
    return { file, platform, streams: streams.length, problems: [] };
  } catch (error) {
    if (error instanceof InvalidConnectorError) return { file, problems: error.problems };
    throw error;
  }
}

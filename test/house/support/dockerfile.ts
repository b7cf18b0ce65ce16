import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { repository, run, systemPath } from './cleanMachine.ts';

export interface Image {
  /** What would be the root of the container's file system. */
  readonly root: string;
  readonly workFolder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly uid: number | undefined;
  readonly command: readonly string[];
  readonly healthCheck: readonly string[];
}

/**
 * Carries out the steps of the Dockerfile without Docker: each stage is a folder, and RUN happens in it with the
 * stage's variables and nothing else. It knows the instructions that our Dockerfile uses, and refuses others.
 */
export async function buildImage(folder: string, path: string): Promise<Image> {
  // How this machine reaches the registry; npm looks for it beside its Node, which here is another one.
  const asking = { cwd: folder, env: { PATH: systemPath, HOME: folder } };
  const cache = join(folder, 'npm-cache');
  const npmrc = (await run('npm', ['config', 'get', 'globalconfig'], asking)).trim();
  const stages = new Map<string, string>();
  let stage = { root: '', work: '', env: {} as Record<string, string> };
  let user: number | undefined;
  let command: string[] = [];
  let healthCheck: string[] = [];
  const inStage = (target: string): string => join(target.startsWith('/') ? stage.root : stage.work, target);

  for (const line of readFileSync(join(repository, 'Dockerfile'), 'utf8').split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [instruction = '', ...words] = line.split(' ');
    const rest = words.join(' ');
    switch (instruction) {
      case 'FROM': {
        const [, , name = `stage${stages.size}`] = words;
        const root = join(folder, name);
        stages.set(name, root);
        mkdirSync(join(root, 'home'), { recursive: true });
        const env = { PATH: path, HOME: join(root, 'home'), NPM_CONFIG_GLOBALCONFIG: npmrc, NPM_CONFIG_CACHE: cache };
        stage = { root, work: root, env };
        break;
      }
      case 'WORKDIR':
        stage.work = join(stage.root, rest);
        mkdirSync(stage.work, { recursive: true });
        break;
      case 'ENV': {
        const [name = '', value = ''] = rest.split('=');
        stage.env[name] = value.startsWith('/') ? join(stage.root, value) : value;
        break;
      }
      case 'COPY': {
        const from = words[0]?.startsWith('--from=') ? stages.get(words.shift()!.slice('--from='.length))! : null;
        const target = words.pop()!;
        for (const source of words) copy(from, source, inStage(target), target.endsWith('/'));
        break;
      }
      case 'RUN':
        await run('/bin/sh', ['-c', rest], { cwd: stage.work, env: stage.env });
        break;
      case 'USER':
        user = Number(rest.split(':')[0]);
        break;
      case 'HEALTHCHECK':
        healthCheck = JSON.parse(rest.slice(rest.indexOf('['))) as string[];
        break;
      case 'CMD':
        command = JSON.parse(rest) as string[];
        break;
      case 'EXPOSE':
      case 'VOLUME':
        break;
      default:
        throw new Error(`The Dockerfile says ${instruction}, which this test does not know.`);
    }
  }
  return { root: stage.root, workFolder: stage.work, env: stage.env, uid: user, command, healthCheck };
}

/** Of the build context, only what .dockerignore lets through. */
function copy(from: string | null, source: string, target: string, intoFolder: boolean): void {
  if (source === '.') {
    for (const name of contextNames()) cpSync(join(repository, name), join(target, name), { recursive: true });
    return;
  }
  if (from === null && !contextNames().includes(source))
    throw new Error(`${source} is not in the build context (.dockerignore).`);
  const to = intoFolder ? join(target, basename(source)) : target;
  cpSync(join(from ?? repository, source), to, { recursive: true });
}

function contextNames(): string[] {
  const lines = readFileSync(join(repository, '.dockerignore'), 'utf8').split('\n');
  const [first, ...rest] = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (first !== '*' || rest.some((line) => !line.startsWith('!'))) throw new Error('.dockerignore has another form.');
  return rest.map((line) => line.slice(1));
}

import { readFileSync } from 'node:fs';

/** What the documents promise, read out of their tables. */
export type Reach = 'all' | 'own' | '–';

/** The table of docs/permissions.md: what each role reaches with a permission. */
export function readMatrix(): { roles: string[]; rows: Map<string, Reach[]> } {
  const lines = read('permissions.md').filter((line) => line.startsWith('|') && !line.startsWith('| ---'));
  const [head, ...rest] = lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
  return {
    roles: head!.slice(1),
    rows: new Map(rest.map(([permission, ...reaches]) => [permission!, reaches as Reach[]])),
  };
}

/** The table of docs/authentication.md, in its order: `GET /api/v1/integrations` and its permission. */
export function readRoutes(): { route: string; permission: string }[] {
  return read('authentication.md')
    .map((line) => /^\| `([A-Z]+ \/\S*)` +\| `(\S+)` +\|$/.exec(line))
    .filter((match) => match !== null)
    .map(([, route, permission]) => ({ route: route!, permission: permission! }));
}

function read(name: string): string[] {
  return readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8').split('\n');
}

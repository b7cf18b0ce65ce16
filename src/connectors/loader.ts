import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { LIMITS } from '../core/limits.ts';
import { InvalidConnectorError, type LocatedProblem } from './errors.ts';
import type { Connector } from './format.ts';
import { validateConnector } from './validate.ts';

/**
 * Reads a connector from YAML (1.2, plain data: no aliases, no tags).
 * @throws InvalidConnectorError that lists every problem with its line and column
 */
export function parseConnector(source: string, fileName: string): Connector {
  const bytes = Buffer.byteLength(source);
  const refuse = (problems: LocatedProblem[]): never => {
    throw new InvalidConnectorError(fileName, problems);
  };
  if (bytes > LIMITS.connectorBytes)
    refuse([
      {
        line: 1,
        column: 1,
        path: [],
        message: `has ${bytes} bytes; a connector takes at most ${LIMITS.connectorBytes}.`,
      },
    ]);

  const lines = new LineCounter();
  const document = readYaml(source, lines, refuse);
  const place = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const faults = causes([...document.errors, ...document.warnings]).map((fault) => ({
    ...place(fault.pos[0]),
    path: [],
    message: yamlMessage(fault),
  }));
  visit(document, {
    Alias: (_key, node) => {
      faults.push({
        ...place(node.range?.[0] ?? 0),
        path: [],
        message: `uses the alias "*${node.source}"; a connector is plain data, so repeat the value.`,
      });
    },
  });
  if (faults.length > 0) refuse(faults);

  const result = validateConnector(document.toJS({ maxAliasCount: 0 }) ?? {});
  if ('connector' in result) return result.connector;
  return refuse(
    result.problems
      .map((problem) => ({ ...problem, ...place(offsetOf(document, problem.path)) }))
      .sort((a, b) => a.line - b.line || a.column - b.column),
  );
}

/**
 * Checks a connector file; its name must be its platform's.
 * @throws InvalidConnectorError
 */
export async function validateConnectorFile(path: string): Promise<Connector> {
  const connector = parseConnector(await readFile(path, 'utf8'), path);
  const expected = `${connector.platform}.yaml`;
  if (basename(path) !== expected)
    throw new InvalidConnectorError(path, [
      {
        line: 1,
        column: 1,
        path: ['platform'],
        message: `is ${JSON.stringify(connector.platform)}, so the file must be called ${expected}.`,
      },
    ]);
  return connector;
}

function readYaml(
  source: string,
  lineCounter: LineCounter,
  refuse: (problems: LocatedProblem[]) => never,
): Document.Parsed {
  try {
    return parseDocument(source, { lineCounter, prettyErrors: false, version: '1.2', strict: true, uniqueKeys: true });
  } catch (error) {
    // Thousands of nested brackets end the parser's stack.
    if (!(error instanceof RangeError)) throw error;
    return refuse([{ line: 1, column: 1, path: [], message: 'is nested too deeply.' }]);
  }
}

/** A key that stands twice is a fault of its own; of the others the first is the cause, and the rest follow from it. */
function causes<T extends { code: string }>(faults: readonly T[]): T[] {
  const first = faults.find(({ code }) => code !== 'DUPLICATE_KEY');
  return first === undefined ? [...faults] : [first];
}

function yamlMessage({ code, message }: { code: string; message: string }): string {
  if (code === 'DUPLICATE_KEY') return 'repeats a key of the same map; keep one of them.';
  if (code === 'TAB_AS_INDENT') return 'is indented with a tab; YAML takes spaces only.';
  if (code === 'MULTIPLE_DOCS') return 'starts a second document ("---"); a connector is one document.';
  return `is not YAML: ${message}`;
}

/** Where the thing at `path` starts; of something missing, where the nearest thing around it does. */
function offsetOf(document: Document.Parsed, path: readonly (string | number)[]): number {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value as Node | null;
    } else if (isSeq(node)) {
      const item = node.items[Number(step)] as Node | undefined;
      if (item === undefined) break;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else break;
  }
  return offset;
}

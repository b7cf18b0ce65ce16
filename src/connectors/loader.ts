import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Document, isMap, isScalar, isSeq, Lexer, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { LIMITS } from '../core/limits.ts';
import { InvalidConnectorError, type LocatedProblem, MAX_PROBLEMS } from './errors.ts';
import type { Connector } from './format.ts';
import { validateConnector } from './validate.ts';

/** Words, marks and gaps of a file; four times what the largest connector that comes with the product has. */
const MAX_TOKENS = 10_000;

/**
 * Reads a connector from YAML (1.2, plain data: no aliases, no tags).
 * @throws InvalidConnectorError that lists the problems (the first 50) with their lines and columns
 */
export function parseConnector(source: string, fileName: string): Connector {
  const refuse = (problems: LocatedProblem[]): never => {
    throw new InvalidConnectorError(fileName, problems);
  };
  const tooMuch = sizeFault(source);
  if (tooMuch !== null) refuse([{ line: 1, column: 1, path: [], message: tooMuch }]);

  const lines = new LineCounter();
  const document = readYaml(source, lines, refuse);
  const place = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  // The first fault is the cause, and the rest follow from it.
  const [fault] = [...document.errors, ...document.warnings];
  if (fault !== undefined) refuse([{ ...place(fault.pos[0]), path: [], message: yamlMessage(fault) }]);
  const faults = dataFaults(document);
  if (faults.length > 0) refuse(faults.map(({ offset, message }) => ({ ...place(offset), path: [], message })));

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
    return parseDocument(source, { lineCounter, prettyErrors: false, version: '1.2', strict: true, uniqueKeys: false });
  } catch (error) {
    // Thousands of nested brackets end the parser's stack.
    if (!(error instanceof RangeError)) throw error;
    return refuse([{ line: 1, column: 1, path: [], message: 'is nested too deeply.' }]);
  }
}

/** Why the parser should not even be started: its work grows with the number of parts. */
function sizeFault(source: string): string | null {
  const bytes = Buffer.byteLength(source);
  if (bytes > LIMITS.connectorBytes) return `has ${bytes} bytes; a connector takes at most ${LIMITS.connectorBytes}.`;
  let tokens = 0;
  for (const _token of new Lexer().lex(source)) {
    tokens += 1;
    if (tokens > MAX_TOKENS) return `has more than ${MAX_TOKENS} words and marks; no connector needs as many.`;
  }
  return null;
}

/** What is YAML but not plain data: keys that stand twice, and aliases. */
function dataFaults(document: Document.Parsed): { offset: number; message: string }[] {
  const faults: { offset: number; message: string }[] = [];
  const add = (node: Node, message: string): symbol | undefined => {
    faults.push({ offset: node.range?.[0] ?? 0, message });
    return faults.length === MAX_PROBLEMS ? visit.BREAK : undefined;
  };
  visit(document, {
    Alias: (_key, node) =>
      add(node, `uses the alias "*${node.source}"; a connector is plain data, so repeat the value.`),
    Map: (_key, { items }) => {
      const seen = new Set<string>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        if (seen.has(name) && add(key, 'repeats a key of the same map; keep one of them.') === visit.BREAK)
          return visit.BREAK;
        seen.add(name);
      }
      return undefined;
    },
  });
  return faults;
}

function yamlMessage({ code, message }: { code: string; message: string }): string {
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

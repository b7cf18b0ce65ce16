import { LiqeError, type LiqeQuery, SyntaxError as LiqeSyntaxError, parse } from 'liqe';
import { InvalidLogQueryError } from './errors.ts';
import { fieldFilter } from './fields.ts';
import { EVERYTHING, type LogFilter } from './filter.ts';

/** The parser looks at all readings of a text, so a long one takes long. */
const MAX_QUERY_CHARS = 500;
const MAX_TERMS = 50;
const MAX_DEPTH = 12;

/**
 * Reads a search in Lucene's style: `level:>=warn AND (timeout OR "connection reset") NOT attributes.retried:true`.
 * AND binds closer than OR; terms side by side are joined by AND. An empty text matches everything.
 *
 * @param nowMs what `now` in it means
 * @throws InvalidLogQueryError with the place and what to write instead
 */
export function parseLogQuery(query: string, nowMs: number): LogFilter {
  if (query.length > MAX_QUERY_CHARS)
    throw new InvalidLogQueryError(
      query,
      MAX_QUERY_CHARS,
      `it has ${query.length} characters.`,
      `Use at most ${MAX_QUERY_CHARS}.`,
    );
  const odd = query.search(/[^\P{Cc}\t\n]|\p{Cs}/u);
  if (odd !== -1)
    throw new InvalidLogQueryError(query, odd, 'it has a control character or half of one.', 'Leave it out.');
  let ast: LiqeQuery;
  try {
    ast = parse(query);
  } catch (error) {
    throw syntaxError(query, error);
  }
  let terms = 0;
  const convert = (node: LiqeQuery, depth: number): LogFilter => {
    if (depth > MAX_DEPTH)
      throw new InvalidLogQueryError(
        query,
        node.location.start,
        'groups are nested too deep.',
        `Use at most ${MAX_DEPTH}.`,
      );
    switch (node.type) {
      case 'EmptyExpression':
        throw new InvalidLogQueryError(query, node.location?.start ?? 0, 'a group is empty.', 'Leave it out.');
      case 'ParenthesizedExpression':
        return convert(node.expression, depth + 1);
      case 'UnaryOperator':
        return { kind: 'not', part: convert(node.operand, depth + 1) };
      case 'LogicalExpression':
        return join(chainOf(node), (part) => convert(part, depth));
      case 'Tag':
        if (++terms > MAX_TERMS)
          throw new InvalidLogQueryError(
            query,
            node.location.start,
            'it has too many terms.',
            `Use at most ${MAX_TERMS}.`,
          );
        return fieldFilter(query, node, nowMs);
    }
  };
  return ast.type === 'EmptyExpression' ? EVERYTHING : convert(ast, 0);
}

interface Chain {
  readonly operands: readonly LiqeQuery[];
  readonly operators: readonly ('AND' | 'OR')[];
}

/** The parser joins from left to right, whatever the operator; this is what was written side by side. */
function chainOf(node: LiqeQuery): Chain {
  if (node.type !== 'LogicalExpression') return { operands: [node], operators: [] };
  const left = chainOf(node.left);
  const right = chainOf(node.right);
  return {
    operands: [...left.operands, ...right.operands],
    operators: [...left.operators, node.operator.operator, ...right.operators],
  };
}

/** Joins with AND before OR. */
function join({ operands, operators }: Chain, convert: (node: LiqeQuery) => LogFilter): LogFilter {
  const groups: LogFilter[][] = [[]];
  operands.forEach((operand, index) => {
    if (index > 0 && operators[index - 1] === 'OR') groups.push([]);
    groups.at(-1)!.push(convert(operand));
  });
  const parts = groups.map((group): LogFilter => (group.length === 1 ? group[0]! : { kind: 'and', parts: group }));
  return parts.length === 1 ? parts[0]! : { kind: 'or', parts };
}

function syntaxError(query: string, error: unknown): InvalidLogQueryError {
  if (error instanceof LiqeError && !(error instanceof LiqeSyntaxError))
    return new InvalidLogQueryError(
      query,
      0,
      'it can be read in two ways.',
      'Put a negative number that is searched for in quotes, as in "-3", or write NOT.',
    );
  if (!(error instanceof LiqeSyntaxError))
    return new InvalidLogQueryError(
      query,
      query.length,
      'it ends before it is complete.',
      'Close every ( and ", end with a term, and put texts with / or : in quotes.',
    );
  const position = error.offset;
  return new InvalidLogQueryError(query, position, 'this is not expected here.', adviceAt(query, position));
}

function adviceAt(query: string, position: number): string {
  const character = query[position] ?? '';
  if (character === '(' && query[position - 1] === ':')
    return 'Write each value with its field: level:warn OR level:error.';
  if (character === '\\') return 'There are no escapes outside quotes: put the text in quotes.';
  if (character === '&' || character === '|' || character === '!') return 'The operators are AND, OR and NOT.';
  if (/[[{"*]/.test(query[position - 1] ?? ''))
    return 'A range takes two numbers, as in [1 TO 5]; times take :>= and :<.';
  return 'Put texts with other characters than letters, digits, ".", "_" and "-" in quotes.';
}

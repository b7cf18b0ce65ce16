import { suggestion } from '../core/input.ts';
import { TEMPLATE_FILTERS } from './templateFilters.ts';
import { type Expression, type Operand, parseTemplate, quoted, type Template } from './templateParser.ts';

/** What a template may refer to: a value, `true` for an object with any fields, or the list of its fields. */
export type TemplateNames = Readonly<Record<string, 'value' | true | readonly string[]>>;

/** Where the names are known that are not known everywhere. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  credentials: 'Credentials can be used under "auth" only.',
  state: 'A state is known in streams that have "incremental".',
  parent: 'A parent is known in streams that have "parent".',
  record: 'The record is known in transformations only.',
  token: 'A token is known in the headers of auth modes that are issued one.',
};

/** Everything in a template that cannot work: unknown names, unknown filters, wrong arguments. */
export function templateProblems(text: string, names: TemplateNames): string[] {
  let template: Template;
  try {
    template = parseTemplate(text);
  } catch (error) {
    if (error instanceof SyntaxError) return [error.message];
    throw error;
  }
  return template.flatMap((part) =>
    typeof part === 'string' ? [] : [...nameProblems(part, names), ...filterProblems(part)],
  );
}

function nameProblems({ operand, filters, source }: Expression, names: TemplateNames): string[] {
  return [operand, ...filters.flatMap(({ args }) => args)].flatMap((one) => operandProblems(one, names, source));
}

function operandProblems(operand: Operand, names: TemplateNames, source: string): string[] {
  if ('literal' in operand) return [];
  const [root, field, ...deeper] = operand.path;
  const taken = Object.hasOwn(names, root!) ? names[root!] : undefined;
  const known = Object.keys(names);
  if (taken === undefined) {
    const hint = ELSEWHERE[root!] ?? suggestion(root!, known).trim();
    return [
      `refers to ${quoted(root!)}, which is not known here. ${hint} Known here: ${known.join(', ')}.`.replace(
        '  ',
        ' ',
      ),
    ];
  }
  if (taken === 'value')
    return field === undefined ? [] : [`refers to ${quoted(source)}, but ${root} is a single value without fields.`];
  if (field === undefined)
    return [
      `refers to ${quoted(root!)} as a whole; name a field of it, such as ${root}.${taken === true ? 'id' : (taken[0] ?? 'field')}.`,
    ];
  if (taken === true) return [];
  if (!taken.includes(field)) {
    const list = taken.length === 0 ? `There are no ${root} fields here.` : `Known: ${taken.join(', ')}.`;
    return [`refers to ${root}.${field}, which does not exist.${suggestion(field, taken)} ${list}`];
  }
  return deeper.length === 0
    ? []
    : [`refers to ${quoted(operand.path.join('.'))}, but ${root}.${field} has no fields.`];
}

function filterProblems({ filters }: Expression): string[] {
  return filters.flatMap(({ name, args }) => {
    const filter = Object.hasOwn(TEMPLATE_FILTERS, name) ? TEMPLATE_FILTERS[name] : undefined;
    const known = Object.keys(TEMPLATE_FILTERS);
    if (filter === undefined)
      return [
        `uses the filter ${quoted(name)}, which does not exist.${suggestion(name, known)} Filters: ${known.join(', ')}.`,
      ];
    const [least, most] = filter.arity;
    if (args.length < least || args.length > most)
      return [
        `gives the filter ${quoted(name)} ${args.length} arguments; it takes ${least === most ? least : `${least} to ${most}`}.`,
      ];
    // What a value brings is seen when it is there.
    const literals = args.flatMap((arg) => ('literal' in arg ? [arg.literal] : []));
    const wrong = literals.length < args.length ? null : filter.check?.(literals);
    return typeof wrong === 'string'
      ? [`gives the filter ${quoted(name)} ${quoted(String(literals[0]))}; it ${wrong}.`]
      : [];
  });
}

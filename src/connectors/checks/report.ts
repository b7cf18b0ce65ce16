import { type ConnectorProblem, MAX_PROBLEMS, MORE_PROBLEMS } from '../errors.ts';
import { parsePath } from '../jsonPath.ts';
import { patternFault } from '../pattern.ts';
import { type TemplateNames, templateProblems } from '../templateCheck.ts';

type Path = readonly (string | number)[];

/** Ends a check whose report is full. */
export class ReportIsFull extends Error {}

/** Collects what is wrong with a connector, with the place of each fault. */
export class Report {
  readonly problems: ConnectorProblem[] = [];

  /** @throws ReportIsFull */
  add(path: Path, message: string): void {
    if (this.problems.length === MAX_PROBLEMS) {
      this.problems.push({ path: [], message: MORE_PROBLEMS });
      throw new ReportIsFull();
    }
    this.problems.push({ path, message });
  }

  template(path: Path, text: string | undefined, names: TemplateNames): void {
    if (text === undefined) return;
    for (const message of templateProblems(text, names)) this.add(path, message);
  }

  /** Every text inside a value: a map of headers, a list of parameters, a body. */
  templates(path: Path, value: unknown, names: TemplateNames): void {
    if (typeof value === 'string') this.template(path, value, names);
    else if (Array.isArray(value))
      for (const [index, one] of value.entries()) this.templates([...path, index], one, names);
    else if (value !== null && typeof value === 'object')
      for (const [key, one] of Object.entries(value)) this.templates([...path, key], one, names);
  }

  /** `single`: exactly one value is meant, so no wildcard. `keys`: only keys, because it is written to. */
  jsonPath(path: Path, text: string | undefined, takes: 'any' | 'single' | 'keys' = 'single'): void {
    if (text === undefined) return;
    try {
      const parsed = parsePath(text);
      if (takes !== 'any' && parsed.some((step) => 'every' in step))
        this.add(path, `takes a path to one value, without "*". Got ${JSON.stringify(text)}.`);
      else if (takes === 'keys' && (parsed.length === 0 || parsed.some((step) => !('key' in step))))
        this.add(path, `takes a field such as "owner.id". Got ${JSON.stringify(text)}.`);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.add(path, error.message);
    }
  }

  jsonPaths(
    path: Path,
    texts: string | readonly string[] | undefined,
    takes: 'any' | 'single' | 'keys' = 'single',
  ): void {
    if (typeof texts === 'string') this.jsonPath(path, texts, takes);
    else for (const [index, text] of (texts ?? []).entries()) this.jsonPath([...path, index], text, takes);
  }

  /** @returns whether it can be used */
  pattern(path: Path, text: string | undefined): boolean {
    const fault = text === undefined ? null : patternFault(text);
    if (fault !== null) this.add(path, fault);
    return fault === null;
  }

  /** The things at `path` are told apart by name. */
  unique(path: Path, named: readonly { readonly name: string }[], what: string): void {
    const seen = new Map<string, number>();
    for (const [index, { name }] of named.entries()) {
      const first = seen.get(name);
      if (first === undefined) seen.set(name, index);
      else
        this.add(
          [...path, index, 'name'],
          `repeats the ${what} ${JSON.stringify(name)}; it is also number ${first + 1} of the list.`,
        );
    }
  }
}

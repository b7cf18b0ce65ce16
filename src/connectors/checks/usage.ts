import type { Connector } from '../format.ts';

/** Whether any template inside `value` refers to `name`, such as `config.shop`. */
export function isReferredTo(value: unknown, name: string): boolean {
  if (typeof value === 'string')
    return (
      value.includes('{{') &&
      value.includes(name) &&
      new RegExp(`(^|[^\\w.])${name.replaceAll('.', '\\.')}(?![\\w-])`).test(value)
    );
  return value !== null && typeof value === 'object' && Object.values(value).some((one) => isReferredTo(one, name));
}

/** Connection fields that people would be asked for without any use. */
export function unusedConnectionFields(connector: Connector): Connector['connection'] {
  const rest = { ...connector, connection: [] };
  return connector.connection.filter((field) => !isReferredTo(rest, `config.${field.name}`));
}

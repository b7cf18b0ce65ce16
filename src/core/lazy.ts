/** Calls `open` once, at the first call; a failure is forgotten so that the next call tries again. */
export function lazy<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined;
  return () => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
}

/** The asynchronous methods of a service. */
type AsyncMethods<T> = { [K in keyof T as T[K] extends (...args: never[]) => Promise<unknown> ? K : never]: T[K] };

/**
 * Stands in for a service that is opened at the first call of one of its methods. Making or importing it
 * does nothing else.
 */
export function lazyService<T extends object>(open: () => Promise<T>): AsyncMethods<T> {
  const opened = lazy(open);
  const methods = new Map<PropertyKey, (...args: unknown[]) => Promise<unknown>>();
  return new Proxy({} as AsyncMethods<T>, {
    get(_target, name) {
      // Not a thenable, or `await service` would call `then`.
      if (typeof name === 'symbol' || name === 'then') return undefined;
      let method = methods.get(name);
      if (method === undefined) {
        method = async (...args) => {
          const service = (await opened()) as Record<string, unknown>;
          const target = service[name];
          if (typeof target !== 'function') throw new TypeError(`The service has no method ${JSON.stringify(name)}.`);
          return target.apply(service, args);
        };
        methods.set(name, method);
      }
      return method;
    },
  });
}

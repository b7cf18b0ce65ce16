import { setTimeout as delay } from 'node:timers/promises';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import type { App } from '../../src/app.ts';
import { startServer } from '../../src/http/startServer.ts';
import { openTestApp } from '../support/app.ts';

const MAX_RETRIES = 20;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; undefined when it is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly json: any;
}

interface RequestOptions {
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Record<string, string>;
  /** Whether to try again when the server has too much work. Default true. */
  readonly patient?: boolean;
  /** Default: the right one. Null sends none. */
  readonly key?: string | null;
}

/** The real server of a real app on loopback, and a client that holds every answer to the OpenAPI document. */
export interface TestServer {
  readonly app: App;
  readonly url: string;
  /** Texts that no answer may hold; every answer is searched for them. */
  readonly canaries: Set<string>;
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  close(): Promise<void>;
}

export async function openTestServer(
  databaseUrl: string,
  options: Parameters<typeof openTestApp>[1] & { adapt?: (app: App) => App } = {},
): Promise<TestServer> {
  const opened = await openTestApp(databaseUrl, options);
  const app = options.adapt?.(opened) ?? opened;
  const { url, close } = await startServer(app);
  const conforms = await answerChecker(url);
  const canaries = new Set([app.secrets.apiKey, app.secrets.encryptionSecret, app.secrets.jwtSecret]);
  return {
    app,
    url,
    canaries,
    async request(method, path, { body, raw, headers = {}, key = app.secrets.apiKey, patient = true } = {}) {
      const send = () =>
        fetch(url + path, {
          method,
          redirect: 'manual',
          headers: {
            ...(key === null ? {} : { authorization: `Bearer ${key}` }),
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
          body: raw ?? (body === undefined ? undefined : JSON.stringify(body)),
        });
      let response = await send();
      let text = await response.text();
      // As a client should: on a machine that is busy with other suites the server may say that it has too much work.
      for (let retry = 0; patient && retry < MAX_RETRIES && text.includes('"OVERLOADED"'); retry++) {
        await delay(1_000);
        response = await send();
        text = await response.text();
      }
      const answer: Answer = {
        status: response.status,
        headers: response.headers,
        text,
        json: text !== '' && /\bjson\b/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : undefined,
      };
      const all = text + JSON.stringify([...response.headers]);
      for (const canary of canaries) expect(all.includes(canary), `${method} ${path} leaks a secret`).toBe(false);
      expect(response.headers.get('request-id')).toMatch(/^[\w.:-]{8,128}$/);
      conforms(method, path, answer);
      return answer;
    },
    async close() {
      await close();
      await app.close();
    },
  };
}

type Document = { paths: Record<string, Record<string, { responses: Record<string, { content?: object }> }>> };

/** Checks answers of documented routes against the schemas of the document that the server itself serves. */
async function answerChecker(url: string): Promise<(method: string, path: string, answer: Answer) => void> {
  const document = (await (await fetch(`${url}/api/openapi.json`)).json()) as Document;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema(document, 'openapi');
  const compiled = new Map<string, ValidateFunction>();
  const templates = Object.keys(document.paths).map((template) => ({
    template,
    pattern: new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  }));
  return (method, path, answer) => {
    const pathname = path.split('?')[0]!;
    // Literal parts win over parameters, as in the router.
    const matching = templates.filter(({ pattern }) => pattern.test(pathname));
    const template = (matching.find((one) => !one.template.endsWith('}')) ?? matching[0])?.template;
    const operation = template === undefined ? undefined : document.paths[template]![method.toLowerCase()];
    if (template === undefined || operation === undefined) return;
    const status = String(answer.status) in operation.responses ? String(answer.status) : 'default';
    const mediaType = answer.headers.get('content-type')?.split(';')[0];
    if (mediaType === undefined) return expect(answer.text, `${method} ${path}`).toBe('');
    const content = operation.responses[status]!.content ?? {};
    expect(Object.keys(content), `${method} ${path} ${answer.status}`).toContain(mediaType);
    if (answer.json === undefined) return;
    const pointer = ['paths', template, method.toLowerCase(), 'responses', status, 'content', mediaType, 'schema']
      .map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
      .map(encodeURIComponent)
      .join('/');
    let validate = compiled.get(pointer);
    if (validate === undefined) {
      validate = ajv.compile({ $ref: `openapi#/${pointer}` });
      compiled.set(pointer, validate);
    }
    expect(validate(answer.json) ? [] : validate.errors, `${method} ${path} ${answer.status}: ${answer.text}`).toEqual(
      [],
    );
  };
}

import { LIMITS } from '../core/limits.ts';
import { bodyTooLarge, UnsupportedMediaTypeError } from './errors.ts';
import { decodeText, parseJson } from './jsonText.ts';
import type { Server } from './typeProvider.ts';

/** Bodies are JSON, read strictly; everything else is refused before it is read. */
export function readJsonBodies(server: Server): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'buffer' },
    async (_request: unknown, bytes: Buffer) => (bytes.length === 0 ? undefined : parseJson(decodeText(bytes))),
  );
  server.addHook('onRequest', async ({ headers }, reply) => {
    if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity') {
      throw new UnsupportedMediaTypeError('Compressed bodies are not taken. Send the body without Content-Encoding.');
    }
    if (Number(headers['content-length'] ?? 0) > LIMITS.requestBodyBytes) {
      // The rest is not read: the connection ends with the answer.
      reply.header('connection', 'close');
      throw bodyTooLarge();
    }
  });
}

/** Beside JSON, YAML as it is in a file; for the routes of connectors. */
export function readYamlBodies(server: Server): void {
  server.addContentTypeParser(
    ['application/yaml', 'text/yaml', 'application/x-yaml', 'text/x-yaml'],
    { parseAs: 'buffer' },
    async (_request: unknown, bytes: Buffer) => ({ source: decodeText(bytes) }),
  );
}

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

export const PROJECT = 'f0a1b2c3-project';

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

/** What tokens are made of; what is left out is as Stack Auth makes it. */
export interface TokenOptions {
  readonly claims?: JWTPayload & Record<string, unknown>;
  readonly header?: Record<string, unknown>;
  readonly key?: SigningKey;
}

/** The part of Stack Auth that is asked: a real server that serves the public keys, and signs tokens with ES256. */
export interface StackServer {
  readonly url: string;
  readonly issuer: string;
  /** Keys that are served; the first signs. */
  keys: SigningKey[];
  /** How often the keys were fetched. */
  fetches: number;
  /** Taken instead of the normal answer, when set. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | null;
  /** Every path asked for. */
  readonly asked: string[];
  token(options?: TokenOptions): Promise<string>;
  close(): Promise<void>;
}

export async function newKey(kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return { kid, privateKey, publicKey };
}

export async function startStackServer(): Promise<StackServer> {
  const http = createServer(async (request, response) => {
    server.asked.push(request.url!);
    if (request.url !== `/api/v1/projects/${PROJECT}/.well-known/jwks.json`) {
      response.writeHead(404).end();
      return;
    }
    server.fetches++;
    if (server.answer !== null) return server.answer(request, response);
    const keys = await Promise.all(
      server.keys.map(async ({ kid, publicKey }) => ({
        ...(await exportJWK(publicKey)),
        kid,
        alg: 'ES256',
        use: 'sig',
      })),
    );
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const issuer = `${url}/api/v1/projects/${PROJECT}`;
  const server: StackServer = {
    url,
    issuer,
    keys: [await newKey('key-1')],
    fetches: 0,
    answer: null,
    asked: [],
    token: ({ claims = {}, header = {}, key = server.keys[0]! } = {}) => {
      const nowS = Math.floor(Date.now() / 1000);
      return new SignJWT({
        iss: issuer,
        aud: PROJECT,
        sub: 'user-1',
        iat: nowS,
        exp: nowS + 600,
        project_id: PROJECT,
        branch_id: 'main',
        refresh_token_id: 'refresh-1',
        role: 'authenticated',
        name: 'Ada',
        email: 'ada@example.com',
        email_verified: true,
        selected_team_id: null,
        is_restricted: false,
        is_anonymous: false,
        ...claims,
      })
        .setProtectedHeader({ alg: 'ES256', kid: key.kid, ...header })
        .sign(key.privateKey);
    },
    close: () =>
      new Promise((resolve) => {
        http.closeAllConnections();
        http.close(() => resolve());
      }),
  };
  return server;
}

import { describe, expect, it } from 'vitest';
import { baseUrl, originsOf } from '../../src/connectors/address.ts';
import { credentialOrigins } from '../../src/connectors/credentialOrigins.ts';
import { connectionValueProblem } from '../../src/connectors/fieldValues.ts';
import { connectionFieldSchema } from '../../src/connectors/format/parts.ts';
import { InvalidInputError } from '../../src/core/errors.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { connectorWith, openSession } from './support/session.ts';

const LEADS_ELSEWHERE =
  'is built from the connection field "tenant", which takes any text: it could lead to another host';

function withAddresses(tenant: JsonObject, mode: JsonObject = {}) {
  const fields = [
    { name: 'id', title: 'Id' },
    { name: 'secret', title: 'Secret' },
  ];
  return connectorWith({
    connection: [{ name: 'tenant', title: 'Tenant', ...tenant }],
    baseUrl: 'https://api.example',
    auth: [
      {
        name: 'oauth',
        title: 'OAuth',
        type: 'oauth2_client_credentials',
        tokenUrl: 'https://auth.example/token',
        clientId: '{{ credentials.id }}',
        clientSecret: '{{ credentials.secret }}',
        fields,
        ...mode,
      },
    ],
  });
}

describe('an address that secrets are sent to', () => {
  it.each([
    ['tokenUrl', { tokenUrl: 'https://{{ config.tenant }}/token' }],
    ['tokenUrl', { tokenUrl: 'https://{{ config.tenant | lower }}.auth.example/token' }],
    ['revokeUrl', { revokeUrl: 'https://{{ apiVersion | default(config.tenant) }}/revoke' }],
  ])('is not built from any text: %s', (key, mode) => {
    expect(() => withAddresses({}, mode)).toThrow(`auth.0.${key}: ${LEADS_ELSEWHERE}`);
    expect(withAddresses({ pattern: '^[a-z]+$' }, mode).platform).toBe('sample');
    expect(withAddresses({ type: 'url' }, mode).platform).toBe('sample');
  });

  it.each([
    ['https://user:pass@{{ config.tenant }}.example/token', 'without user name and password'],
    ['https://{{ config.tenant }}.example/token?x=1', 'without "?" and "#"'],
    ['ftp://{{ config.tenant }}.example', 'that starts with https://'],
  ])('is checked also where a value stands in it: %s', (tokenUrl, fault) => {
    expect(() => withAddresses({ pattern: '^[a-z]+$' }, { tokenUrl })).toThrow(fault);
  });

  it.each([
    'https://user:pass@api.example',
    'https://api.example/?key=1',
    'https://api.example/v1?',
    'https://api.example#a',
    'https://api.example/#',
    'ftp://api.example',
    'api.example',
  ])('is refused when it is filled in with %s', (url) => {
    const session = openSession(connectorWith({}), { connection: { url } });
    expect(() => baseUrl(session)).toThrow(InvalidInputError);
    expect(() => originsOf(session)).toThrow(/^The address of Sample cannot be built from "{{ config\.url }}": takes/);
    expect(credentialOrigins(session)).toEqual([]);
    const field = connectionFieldSchema.parse({ name: 'url', title: 'Address', type: 'url' });
    expect(connectionValueProblem(field, url)).toContain('takes an address');
  });

  it('may have a path, and keeps it', () => {
    const session = openSession(connectorWith({}), { connection: { url: 'https://api.example:8443/v1/' } });
    expect(baseUrl(session)).toBe('https://api.example:8443/v1');
  });
});

import { InvalidInputError } from '../core/errors.ts';
import { urlFault } from './checks/urlFault.ts';
import { render, type TemplateScope } from './template.ts';
import type { ConnectorSession } from './types.ts';

/** The part of a session that addresses are built from. */
type AddressSource = Pick<ConnectorSession, 'connector' | 'connection' | 'clock'>;

/** What every template of a session may refer to. */
export function sessionScope(session: AddressSource): TemplateScope {
  return {
    config: { ...session.connection },
    apiVersion: session.connector.apiVersion,
    now: new Date(session.clock.now()).toISOString(),
  };
}

/** The address that paths are appended to, without a trailing slash. */
export function baseUrl(session: AddressSource): string {
  return addressOf(session, session.connector.baseUrl);
}

/** The origins that belong to this API: only they receive its credentials, only to them a next page may lead. */
export function originsOf(session: AddressSource): string[] {
  const addresses = [session.connector.baseUrl, ...session.connector.origins];
  return [...new Set(addresses.map((address) => new URL(addressOf(session, address)).origin))];
}

/** @throws InvalidInputError when the connection fields do not make an address of it */
export function addressOf(session: AddressSource, template: string): string {
  const text = render(template, sessionScope(session));
  const fault = typeof text === 'string' ? urlFault(text) : 'set its connection fields.';
  if (typeof text !== 'string' || fault !== null) {
    const detail = `The address of ${session.connector.title} cannot be built from ${JSON.stringify(template)}: ${fault}`;
    throw new InvalidInputError(detail, [{ pointer: '/configuration/connection', detail }]);
  }
  return new URL(text).href.replace(/\/+$/, '');
}

import { addressOf } from './address.ts';
import type { ConnectorSession } from './types.ts';

/**
 * Every origin that the credentials of such an integration are sent to: the API's own, and where tokens are
 * asked for and given back. Addresses that the connection fields do not complete lead nowhere and do not count.
 */
export function credentialOrigins(target: Pick<ConnectorSession, 'connector' | 'connection' | 'clock'>): string[] {
  const { connector } = target;
  const addresses = [
    connector.baseUrl,
    ...connector.origins,
    ...connector.auth.flatMap((mode) =>
      mode.type === 'oauth2_client_credentials' ? [mode.tokenUrl, mode.revokeUrl ?? mode.tokenUrl] : [],
    ),
  ];
  const origins = addresses.flatMap((address) => {
    try {
      return [new URL(addressOf(target, address)).origin];
    } catch {
      return [];
    }
  });
  return [...new Set(origins)].sort();
}

import { isConnectionHeader } from '../../outgoing/connectionHeaders.ts';
import type { AuthMode, SessionMode } from '../format/auth.ts';
import { CONNECTION_HEADER } from '../format/parts.ts';
import type { Connector } from '../format.ts';
import type { TemplateNames } from '../templateCheck.ts';
import { checkAddress } from './address.ts';
import type { Report } from './report.ts';
import { checkRequestPath } from './requestPath.ts';
import { isReferredTo } from './usage.ts';

type Path = readonly (string | number)[];

/** Every way to authenticate: what it refers to, and where it sends the credentials. */
export function checkAuth(report: Report, connector: Connector, names: TemplateNames): void {
  for (const [index, mode] of connector.auth.entries()) {
    const path = ['auth', index];
    const withCredentials = { ...names, credentials: mode.fields.map((field) => field.name) };
    if (mode.type === 'none' && mode.fields.length > 0)
      report.add([...path, 'fields'], 'are asked for but "none" sends no credentials; take another type or no fields.');
    checkMode(report, path, mode, withCredentials, connector);
  }
}

function checkMode(report: Report, path: Path, mode: AuthMode, names: TemplateNames, connector: Connector): void {
  if (mode.type === 'api_key') {
    // The parameter's name may come from the connection, never from a secret.
    report.template([...path, 'key'], mode.key, { ...names, credentials: [] });
    report.template([...path, 'value'], mode.value, names);
    if (mode.in === 'header' && isConnectionHeader(mode.key)) report.add([...path, 'key'], `${CONNECTION_HEADER}.`);
  } else if (mode.type === 'basic') {
    report.template([...path, 'username'], mode.username, names);
    report.template([...path, 'password'], mode.password, names);
  } else if (mode.type === 'bearer') report.template([...path, 'token'], mode.token, names);
  else if (mode.type === 'headers') report.templates([...path, 'headers'], mode.headers, names);
  else if (mode.type === 'oauth2_client_credentials') {
    for (const key of ['tokenUrl', 'revokeUrl'] as const) {
      const address = mode[key];
      if (address !== undefined)
        checkAddress(report, [...path, key], address, { ...names, credentials: [] }, connector);
    }
    report.template([...path, 'clientId'], mode.clientId, names);
    report.template([...path, 'clientSecret'], mode.clientSecret, names);
    report.templates([...path, 'params'], mode.params, names);
    checkTokenHeaders(report, path, mode.headers, { ...names, token: 'value' });
  } else if (mode.type === 'session') checkSession(report, path, mode, names);
}

function checkSession(report: Report, path: Path, mode: SessionMode, names: TemplateNames): void {
  const { login, logout } = mode;
  const refreshToken: TemplateNames = login.refreshTokenPath === undefined ? {} : { refreshToken: 'value' };
  const issued: TemplateNames = { ...names, token: 'value', ...refreshToken };
  checkRequestPath(report, [...path, 'login', 'path'], login.path, { ...names, credentials: [] });
  report.templates([...path, 'login', 'headers'], login.headers, names);
  report.templates([...path, 'login', 'body'], login.body, names);
  for (const key of ['tokenPath', 'expiresInPath', 'refreshTokenPath'] as const)
    report.jsonPath([...path, 'login', key], login[key]);
  checkTokenHeaders(report, path, mode.headers, issued);
  if (logout === undefined) return;
  checkRequestPath(report, [...path, 'logout', 'path'], logout.path, { ...names, credentials: [] });
  report.templates([...path, 'logout', 'headers'], logout.headers, issued);
  report.templates([...path, 'logout', 'body'], logout.body, issued);
}

function checkTokenHeaders(
  report: Report,
  path: Path,
  headers: Readonly<Record<string, string>>,
  names: TemplateNames,
): void {
  report.templates([...path, 'headers'], headers, names);
  if (!isReferredTo(headers, 'token'))
    report.add([...path, 'headers'], 'never send the token; put {{ token }} into one of them.');
}

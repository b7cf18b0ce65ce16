import { suggestion } from '../../core/input.ts';
import type { ConnectorProblem } from '../errors.ts';
import type { Connector } from '../format.ts';
import type { TemplateNames } from '../templateCheck.ts';
import { checkAddress } from './address.ts';
import { checkAuth } from './checkAuth.ts';
import { checkErrors, checkRateLimit } from './checkErrors.ts';
import { checkFields } from './checkFields.ts';
import { checkStreams } from './checkStreams.ts';
import { checkCondition } from './condition.ts';
import { Report, ReportIsFull } from './report.ts';
import { checkRequestPath } from './requestPath.ts';
import { isReferredTo, unusedConnectionFields } from './usage.ts';

/**
 * Everything the schema cannot say: templates that refer to nothing, parts that do not fit together, patterns and
 * paths that cannot be used. Empty for a connector that can be run.
 */
export function checkConnector(connector: Connector): ConnectorProblem[] {
  const report = new Report();
  try {
    checkParts(report, connector);
  } catch (error) {
    if (!(error instanceof ReportIsFull)) throw error;
  }
  return report.problems;
}

function checkParts(report: Report, connector: Connector): void {
  const names: TemplateNames = {
    config: connector.connection.map((field) => field.name),
    apiVersion: 'value',
    now: 'value',
  };
  checkFields(report, connector);
  checkAddress(report, ['baseUrl'], connector.baseUrl, names, connector);
  for (const [index, origin] of connector.origins.entries())
    checkAddress(report, ['origins', index], origin, names, connector);
  checkAuth(report, connector, names);
  report.templates(['headers'], connector.headers, names);
  checkCheck(report, connector, names);
  checkRateLimit(report, connector);
  checkErrors(report, connector);
  checkStreams(report, connector, names);
  report.unique(['scopes'], connector.scopes, 'scope');
  checkWebhooks(report, connector);
  checkUnusedFields(report, connector);
}

function checkCheck(report: Report, { check }: Connector, names: TemplateNames): void {
  checkRequestPath(report, ['check', 'path'], check.path, names);
  report.templates(['check', 'params'], check.params, names);
  report.templates(['check', 'headers'], check.headers, names);
  report.templates(['check', 'body'], check.body, names);
  if (check.body !== undefined && /^(GET|HEAD)$/.test(check.method))
    report.add(['check', 'body'], `cannot be sent with ${check.method}; set "method: POST".`);
  report.jsonPaths(['check', 'accountPath'], check.accountPath);
  for (const [index, condition] of check.expect.entries())
    checkCondition(report, ['check', 'expect', index], condition);
}

function checkWebhooks(report: Report, { webhooks, streams }: Connector): void {
  if (webhooks === undefined) return;
  report.jsonPath(['webhooks', 'eventIdPath'], webhooks.eventIdPath);
  report.jsonPath(['webhooks', 'eventTypePath'], webhooks.eventTypePath);
  const known = streams.map((stream) => stream.name);
  for (const [event, names] of Object.entries(webhooks.events))
    for (const [index, name] of names.entries())
      if (!known.includes(name))
        report.add(
          ['webhooks', 'events', event, index],
          `names the stream ${JSON.stringify(name)}, which does not exist.${suggestion(name, known)}`,
        );
}

/** A field that nothing uses is asked from people for nothing; most often it is a misspelt name. */
function checkUnusedFields(report: Report, connector: Connector): void {
  for (const field of unusedConnectionFields(connector))
    report.add(
      ['connection', connector.connection.indexOf(field), 'name'],
      `is asked for but never used; refer to it as {{ config.${field.name} }} or remove it.`,
    );
  for (const [mode, { fields, ...rest }] of connector.auth.entries())
    for (const [index, field] of fields.entries())
      if (!isReferredTo(rest, `credentials.${field.name}`))
        report.add(
          ['auth', mode, 'fields', index, 'name'],
          `is asked for but never used; refer to it as {{ credentials.${field.name} }} or remove it.`,
        );
}

import { cut, integrationName, type MessageAlert, type NotificationMessage } from './message.ts';

/** Alerts written out in a text for people; the rest is counted. */
const MAX_WRITTEN_ALERTS = 10;
const MAX_TITLE_CHARS = 200;
const OF_INTEGRATION: ReadonlySet<string> = new Set(['integrationId', 'platform']);
/** Integrations that a title names; the rest is counted. */
const MAX_TITLE_INTEGRATIONS = 2;
/** What the title, or the line of the integration, has said already. */
const SAID: ReadonlySet<string> = new Set(['alertname', 'severity', 'kind']);

/** In a line: how bad, what, and of what. Such as `[CRITICAL] Slow answers: Flaky shop (http) (3 alerts)`. */
export function titleOf(message: NotificationMessage): string {
  const { status, reason, firingCount, resolvedCount, alerts, acknowledgedBy } = message;
  const first = alerts[0];
  const name = first?.name ?? 'Alerts';
  const names = new Set(alerts.map((alert) => alert.name));
  const count = status === 'firing' ? firingCount : resolvedCount;
  const what = `${names.size > 1 ? `${name} and others` : name}${ofIntegrations(message, count)}`;
  const many = count > 1 ? ` (${count} alerts)` : '';
  if (reason === 'test') return cut(what, MAX_TITLE_CHARS);
  if (reason === 'acknowledged') return cut(`[ACKNOWLEDGED] ${what}${many} by ${acknowledgedBy}`, MAX_TITLE_CHARS);
  if (status === 'resolved') return cut(`[RESOLVED${unmeasured(message)}] ${what}${many}`, MAX_TITLE_CHARS);
  const again = reason === 'repeat' ? ', still' : reason === 'escalation' ? ', not acknowledged' : '';
  return cut(`[${(first?.severity ?? 'alert').toUpperCase()}${again}] ${what}${many}`, MAX_TITLE_CHARS);
}

function ofIntegrations({ status, alerts }: NotificationMessage, count: number): string {
  const told = alerts.filter((alert) => alert.status === status);
  const names = [...new Set(told.flatMap((alert) => integrationOf(alert) ?? []))];
  if (names.length === 0) return '';
  const more = names.length - MAX_TITLE_INTEGRATIONS;
  const rest =
    more > 0 ? ` and ${more}${count > told.length ? ' or more' : ''} ${more === 1 ? 'other' : 'others'}` : '';
  return `: ${names.slice(0, MAX_TITLE_INTEGRATIONS).join(', ')}${rest}`;
}

/** Messages of earlier versions have only the labels. */
function integrationOf({ integration, labels }: MessageAlert): string | null {
  if (integration) return integrationName(integration);
  const { integrationId, platform } = labels;
  if (!integrationId) return null;
  return platform ? `${integrationId} (${platform})` : integrationId;
}

/** Nobody is to think that it has recovered where nothing was measured any more. */
function unmeasured({ alerts }: NotificationMessage): string {
  return alerts.length > 0 && alerts.every(({ cause }) => cause === 'no_data') ? ', no data any more' : '';
}

/** One alert for a reader at night: what, value against threshold, since when. */
export interface AlertText {
  /** Empty where it is the only one: the title has said it. */
  readonly heading: string;
  readonly summary: string;
  /** Names and texts, in the order to be read. */
  readonly facts: readonly (readonly [name: string, text: string])[];
  readonly link: string;
  readonly runbook: string | null;
}

/** The alerts worth writing out, and how many are left. */
export function alertTexts(message: NotificationMessage): { texts: AlertText[]; more: number } {
  const count = message.firingCount + message.resolvedCount;
  const texts = message.alerts
    .slice(0, MAX_WRITTEN_ALERTS)
    .map((alert) => textOf(alert, Date.parse(message.at), count > 1));
  return { texts, more: count - texts.length };
}

/** All of it as plain text. */
export function plainText(message: NotificationMessage): string {
  const { texts, more } = alertTexts(message);
  const parts = texts.map(({ heading, summary, facts, link, runbook }) =>
    [
      ...(heading === '' ? [] : [heading]),
      ...(summary === '' ? [] : [summary]),
      ...facts.map(([name, text]) => `${name}: ${text}`),
      `Open: ${link}`,
      ...(runbook === null ? [] : [`Runbook: ${runbook}`]),
    ].join('\n'),
  );
  if (more > 0) parts.push(`And ${more} more: ${message.link}`);
  return parts.join('\n\n');
}

function textOf(alert: MessageAlert, atMs: number, hasHeading: boolean): AlertText {
  const { status, severity, name, value, condition, labels, measured } = alert;
  const facts: [string, string][] = [];
  const integration = integrationOf(alert);
  if (integration !== null)
    facts.push(['Integration', alert.integration ? `${integration}, ${alert.integration.id}` : integration]);
  if (measured) {
    if (measured !== alert.summary) facts.push(['Measured', measured]);
  } else if (value !== null)
    facts.push(['Value', condition === '' ? number(value) : `${number(value)} (alerts ${condition})`]);
  else if (condition !== '') facts.push(['Value', `none (alerts ${condition})`]);
  const startsMs = Date.parse(alert.startsAt);
  const endsMs = alert.endsAt === null ? atMs : Date.parse(alert.endsAt);
  const lasted = duration(Math.max(0, endsMs - startsMs));
  if (status === 'firing') facts.push(['Since', `${minute(startsMs)} (${lasted})`]);
  else facts.push(['Lasted', `${lasted}, from ${minute(startsMs)} to ${minute(endsMs)}`]);
  const about = Object.entries(labels)
    .filter(([label]) => !SAID.has(label) && (integration === null || !OF_INTEGRATION.has(label)))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (about.length > 0) facts.push(['Labels', cut(about.map(([label, text]) => `${label}=${text}`).join(', '), 500)]);
  const word = status === 'firing' ? severity.toUpperCase() : 'RESOLVED';
  const heading = hasHeading ? `${word} ${name}` : '';
  return { heading, summary: alert.summary, facts, link: alert.link, runbook: alert.runbook };
}

export function number(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

/** `2026-01-31 02:58 UTC` */
export function minute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** The two largest units, such as `2 h 5 min`. */
export function duration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.floor(ms / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

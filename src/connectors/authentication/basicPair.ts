import type { AuthMode } from '../format/auth.ts';
import { render, type TemplateScope } from '../template.ts';

/** User name and password as HTTP's basic authentication sends them, before Base64. */
export function basicPair(mode: Extract<AuthMode, { type: 'basic' }>, scope: TemplateScope): string {
  return `${render(mode.username, scope) ?? ''}:${render(mode.password, scope) ?? ''}`;
}

import { formsOf, MIN_EMBEDDED_CHARS } from '../redaction/secretForms.ts';

export const HIDDEN = '[hidden]';

/** The text without the secrets, in whatever form a provider or an address may repeat them. */
export function hideSecrets(text: string, secrets: Iterable<string>): string {
  const forms = [...secrets].filter((secret) => secret !== '').flatMap(formsOf);
  if (forms.includes(text.trim())) return HIDDEN;
  let shown = text;
  // The longest first, so that no part of one is left over.
  for (const form of forms.sort((a, b) => b.length - a.length)) {
    if (form.length >= MIN_EMBEDDED_CHARS) shown = shown.replaceAll(form, HIDDEN);
  }
  return shown;
}

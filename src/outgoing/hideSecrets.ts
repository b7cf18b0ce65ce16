/** Shorter ones would be found by accident; they are hidden only where they are all there is. */
const MIN_EMBEDDED_CHARS = 4;

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

function formsOf(secret: string): string[] {
  const encoded = encodeURIComponent(secret.toWellFormed());
  const base64 = Buffer.from(secret).toString('base64');
  const unpadded = base64.replace(/=+$/, '');
  const forms = [
    secret,
    encoded,
    encoded.replace(/%../g, (code) => code.toLowerCase()),
    new URLSearchParams({ '': secret }).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
    base64,
    unpadded,
    unpadded.replaceAll('+', '-').replaceAll('/', '_'),
    encodeURIComponent(base64),
  ];
  // What is as short as this in another form is no secret that could be told from other text.
  return [...new Set(forms)].filter((form) => form === secret || secret.length >= MIN_EMBEDDED_CHARS);
}

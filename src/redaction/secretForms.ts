/** What is as short as this in another form is no secret that could be told from other text. */
export const MIN_EMBEDDED_CHARS = 4;
/** Base64 in the middle of a longer one is looked for only if so many characters of it are certain. */
const MIN_ALIGNED_BYTES = 8;

/** The forms in which a provider, an address or a header may repeat a secret; itself among them. */
export function formsOf(secret: string): string[] {
  const encoded = encodeURIComponent(secret.toWellFormed());
  const bytes = Buffer.from(secret);
  const base64 = bytes.toString('base64');
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
  return [...new Set(forms)].filter((form) => form === secret || secret.length >= MIN_EMBEDDED_CHARS);
}

/**
 * What stands of a secret in the base64 of a longer text, such as `user:secret`, wherever it begins there: without the
 * characters at both ends that depend on their neighbours.
 */
export function base64Parts(secret: string): string[] {
  const bytes = Buffer.from(secret);
  if (bytes.length < MIN_ALIGNED_BYTES) return [];
  return [0, 1, 2].flatMap((skipped) => {
    const shifted = bytes.subarray(skipped, bytes.length - ((bytes.length - skipped) % 3));
    const part = shifted.toString('base64');
    return [part, part.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

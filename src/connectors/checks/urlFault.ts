/** What is wrong with an address that requests are built on, or null. */
export function urlFault(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    return 'takes an address that starts with https:// (or http://).';
  if (url.username !== '' || url.password !== '') return 'takes an address without user name and password.';
  // An empty one too: a path that is appended would become part of it.
  return /[?#]/.test(text) ? 'takes an address without "?" and "#".' : null;
}

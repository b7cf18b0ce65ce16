// Run with --experimental-vm-modules: loads services/credentialEncryption in a context that has only what a browser
// has too, uses it there, and prints what came of it as JSON. Any import that is not a file of ours fails.
import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import vm from 'node:vm';

const [entry, secret, userKey] = process.argv.slice(2) as [string, string, string];
const context = vm.createContext({ crypto: webcrypto, TextEncoder, TextDecoder, setTimeout, clearTimeout });
const modules = new Map<string, vm.SourceTextModule>();

function load(url: URL): vm.SourceTextModule {
  const loaded = modules.get(url.href);
  if (loaded !== undefined) return loaded;
  const source = stripTypeScriptTypes(readFileSync(url, 'utf8'));
  const made = new vm.SourceTextModule(source, { context, identifier: url.href });
  modules.set(url.href, made);
  return made;
}

const main = load(new URL(entry));
await main.link((specifier, from) => {
  if (!specifier.startsWith('.')) throw new Error(`${from.identifier} imports ${specifier}`);
  return load(new URL(specifier, from.identifier));
});
await main.evaluate();

Object.assign(context, { CredentialEncryption: Reflect.get(main.namespace, 'CredentialEncryption'), secret, userKey });
const result: unknown = await vm.runInContext(
  `(async () => {
    const unconfigured = await CredentialEncryption.encrypt({}, userKey).catch((error) => error.code);
    CredentialEncryption.configure({ secret });
    const encrypted = await CredentialEncryption.encrypt({ apiKey: 'from a browser' }, userKey);
    const decrypted = await CredentialEncryption.decrypt(encrypted, userKey);
    const rotated = await CredentialEncryption.rotateCredentials(encrypted, userKey, 'next');
    const refused = await CredentialEncryption.decrypt(rotated, userKey).catch((error) => error.code);
    const valid = CredentialEncryption.validateEncryptedCredentials(rotated);
    const wiped = { bytes: new Uint8Array([1, 2]), text: 'secret' };
    CredentialEncryption.secureWipe(wiped);
    return { globals: [typeof process, typeof Buffer], unconfigured, encrypted, decrypted, refused, valid,
      newUserKey: CredentialEncryption.generateUserKey('u'), wiped: [...wiped.bytes, wiped.text] };
  })()`,
  context,
);
process.stdout.write(JSON.stringify({ result, modules: [...modules.keys()] }));

// node scripts/completeLock.js: adds to package-lock.json the optional packages that npm left out of it.
//
// npm writes into the lock only what the registry at hand has. Where that is a mirror without the programs of other
// platforms, they are missing, and `npm ci` then refuses the lock on every machine ("Missing: … from lock file").
// Run it after an upgrade; test/house/lockfile.test.ts tells when.

import { readFileSync, writeFileSync } from 'node:fs';

const OS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const CPU = ['arm', 'arm64', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64'];

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
for (const [path, parent] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(parent.optionalDependencies ?? {})) {
    const place = `node_modules/${name}`;
    if (lock.packages[place] || lock.packages[`${path}/${place}`]) continue;
    const { cpu, libc, os } = platformOf(name);
    // In npm's own order, so that the next `npm install` changes nothing. JSON leaves out what is undefined.
    lock.packages[place] = { version: range.replace(/^[\^~]/, ''), cpu, dev: parent.dev, libc, optional: true, os };
    console.log(`added ${name}`);
  }
}
const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
writeFileSync('package-lock.json', `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);

/** Packages of programs are named after what they run on. */
function platformOf(name) {
  const words = name.split(/[/-]/);
  const listed = (value) => (value === undefined ? undefined : [value]);
  const starting = (start) => words.some((word) => word.startsWith(start));
  return {
    cpu: listed(CPU.find((one) => words.includes(one))),
    libc: listed(starting('musl') ? 'musl' : starting('gnu') ? 'glibc' : undefined),
    os: listed(OS.find((one) => words.includes(one))),
  };
}

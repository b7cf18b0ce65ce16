// Plain JavaScript on purpose: it must run, and speak, on the Node that is too old for everything else here.
const needed = [22, 18];
const found = process.versions.node.split('.').map(Number);

if (found[0] < needed[0] || (found[0] === needed[0] && found[1] < needed[1])) {
  console.error(`Node ${process.versions.node} is too old for this program; it needs Node ${needed.join('.')} or newer.

In a clone, "npm install" brings a Node 24 of its own (the package "node"). It is not there because install scripts
are switched off or development dependencies were left out. Either of these helps:
  npm install --include=dev --ignore-scripts=false && npm rebuild node --ignore-scripts=false
  a newer Node for the whole machine, from https://nodejs.org`);
  process.exit(1);
}

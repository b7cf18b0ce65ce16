import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';

// node clients.ts <url> <key> <clients> <seconds>: follows with so many clients, the last of which reads nothing, and
// prints how long records took from being logged to being here.

const [url, key, count, seconds] = process.argv.slice(2) as [string, string, string, string];
const clients = Number(count);
const TIMESTAMP = Buffer.from('"timestamp":"');
const RECORD = Buffer.from('{"seq":');
const BUCKETS = 60_000;

/** Records by milliseconds. Of a batch all count as late as its oldest. */
const late = new Float64Array(BUCKETS);
let records = 0;
let gaps = 0;
let bytes = 0;

function take(message: Buffer): void {
  bytes += message.length;
  if (message.includes('"gap":true')) {
    gaps += 1;
    return;
  }
  const at = message.indexOf(TIMESTAMP);
  if (at === -1) return;
  const text = message.toString('latin1', at + TIMESTAMP.length, at + TIMESTAMP.length + 24);
  let inBatch = -1;
  for (let from = 0; from !== -1; from = message.indexOf(RECORD, from + 1)) inBatch += 1;
  late[Math.min(BUCKETS - 1, Math.max(0, Date.now() - Date.parse(text)))]! += inBatch;
  records += inBatch;
}

const address = `${url.replace('http', 'ws')}/api/v1/logs/stream?integrationId=int_1`;
const sockets = Array.from({ length: clients }, (_, index) => {
  const socket = new WebSocket(address, { headers: { authorization: `Bearer ${key}` }, perMessageDeflate: false });
  socket.on('error', (error) => console.error(String(error)));
  if (index === clients - 1) socket.on('open', () => socket.pause());
  else socket.on('message', take);
  return socket;
});

await delay(Number(seconds) * 1000 + 6_000);
const share = (wanted: number) => {
  let seen = 0;
  for (let ms = 0; ms < BUCKETS; ms++) {
    seen += late[ms]!;
    if (seen >= wanted * records) return ms;
  }
  return BUCKETS;
};
console.log(
  JSON.stringify({
    'for each client': Math.round((records / (clients - 1)) * 10) / 10,
    gaps,
    'MB/s': Math.round(bytes / Number(seconds) / 1e6),
    'p50, ms': share(0.5),
    'p99, ms': share(0.99),
    'max, ms': share(1),
  }),
);
for (const socket of sockets) socket.terminate();

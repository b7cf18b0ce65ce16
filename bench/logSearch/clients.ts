import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { FrameReader } from './frames.ts';

// node clients.ts <url> <key> <clients> <seconds>: follows with so many clients, the last of which reads nothing, and
// prints how long records took from being logged to being here.

const [url, key, count, seconds] = process.argv.slice(2) as [string, string, string, string];
const clients = Number(count);
const BUCKETS = 60_000;
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);
/** Up to the time of the first record; what is in a batch follows each other, but for some records of the program. */
const BATCH = /^\{"seq":(\d+),"logs":\[\{"seq":(\d+),"timestamp":"([^"]{24})"/;

/** Records by milliseconds. Of a batch all count as late as its oldest. */
const late = new Float64Array(BUCKETS);
let records = 0;
let gaps = 0;
let bytes = 0;

function take(beginning: Buffer, length: number): void {
  bytes += length;
  const text = beginning.toString('latin1');
  if (text.startsWith('{"gap":true')) gaps += 1;
  const [, last, first, time] = BATCH.exec(text) ?? [];
  if (time === undefined) return;
  const inBatch = Number(last) - Number(first) + 1;
  late[Math.min(BUCKETS - 1, Math.max(0, Date.now() - Date.parse(time)))]! += inBatch;
  records += inBatch;
}

const { hostname, port } = new URL(url);

function follow(reads: boolean): Socket {
  const reader = new FrameReader(take, () => socket.write(PONG));
  let answer = '';
  const buffer = Buffer.alloc(64 * 1024);
  const callback = (length: number): boolean => {
    let from = 0;
    if (!answer.includes('\r\n\r\n')) {
      const before = answer.length;
      answer += buffer.toString('latin1', 0, length);
      const end = answer.indexOf('\r\n\r\n');
      if (end === -1) return true;
      if (!answer.startsWith('HTTP/1.1 101')) throw new Error(answer);
      from = end + 4 - before;
      if (!reads) return false;
    }
    reader.take(buffer, from, length);
    return true;
  };
  const socket = connect({ host: hostname, port: Number(port), onread: { buffer, callback } });
  socket.on('error', (error) => console.error(String(error)));
  socket.write(
    [
      'GET /api/v1/logs/stream?integrationId=int_1 HTTP/1.1',
      `Host: ${hostname}:${port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      `Authorization: Bearer ${key}`,
      '\r\n',
    ].join('\r\n'),
  );
  return socket;
}

const sockets = Array.from({ length: clients }, (_, index) => follow(index < clients - 1));

await delay(Number(seconds) * 1000 + 6_000);
const share = (wanted: number) => {
  let seen = 0;
  for (let ms = 0; ms < BUCKETS; ms++) {
    seen += late[ms]!;
    if (seen >= wanted * records) return ms;
  }
  return BUCKETS;
};
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({
    'for each client': Math.round((records / (clients - 1)) * 10) / 10,
    gaps,
    'MB/s': Math.round(bytes / Number(seconds) / 1e6),
    'p50, ms': share(0.5),
    'p99, ms': share(0.99),
    'max, ms': share(1),
    'cores of the clients': Math.round((user + system) / Number(seconds) / 10_000) / 100,
  }),
);
for (const socket of sockets) socket.destroy();

import { isDeepStrictEqual } from 'node:util';
import { expect, it } from 'vitest';
import type { EncryptedCredentials } from '../../src/credentials/envelopeFormat.ts';
import { nodeBackend } from '../../src/credentials/nodeBackend.ts';
import { CREDENTIALS, isRefused, open, seal, wrappingKey } from './envelopes.ts';

const MUTATIONS = 100_000;
const SEED = 20_240_601;
const ODD_VALUES: readonly unknown[] = [null, undefined, 0, 1, -1, NaN, '', 'A', [], {}, true, 1n, 600_000, 'secret'];

type Random = (below: number) => number;
type Json = Record<string, unknown>;

/** xorshift32 (Marsaglia 2003): the run is the same every time. */
function seeded(seed: number): Random {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Every place of the envelope that holds a value: its object and its name. */
function places(envelope: Json): [Json, string][] {
  return Object.entries(envelope).flatMap(([name, value]): [Json, string][] =>
    typeof value === 'object' && value !== null ? [[envelope, name], ...places(value as Json)] : [[envelope, name]],
  );
}

const mutateBytes: Record<string, (bytes: Buffer, random: Random, other: Buffer) => Buffer> = {
  flip: (bytes, random) => {
    bytes[random(bytes.length)]! ^= 1 << random(8);
    return bytes;
  },
  overwrite: (bytes, random) => bytes.fill(random(256), random(bytes.length)),
  swapBytes: (bytes, random) => {
    const [a, b] = [random(bytes.length), random(bytes.length)];
    [bytes[a], bytes[b]] = [bytes[b]!, bytes[a]!];
    return bytes;
  },
  truncate: (bytes, random) => bytes.subarray(0, random(bytes.length)),
  extend: (bytes, random) => Buffer.concat([bytes, Buffer.alloc(1 + random(20), random(256))]),
  splice: (bytes, random, other) => {
    const at = random(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), other.subarray(at)]);
  },
  reverse: (bytes) => bytes.reverse(),
};
const BYTE_MUTATIONS = Object.values(mutateBytes);

const mutatePlace: ((envelope: Json, other: Json, random: Random) => void)[] = [
  (envelope, _other, random) => {
    const [owner, name] = pick(places(envelope), random);
    owner[name] = pick(ODD_VALUES, random);
  },
  (envelope, _other, random) => {
    const [owner, name] = pick(places(envelope), random);
    delete owner[name];
  },
  (envelope, _other, random) => {
    const [owner] = pick(places(envelope), random);
    owner[`extra${random(10)}`] = pick(ODD_VALUES, random);
  },
  (envelope, _other, random) => {
    const [[one, oneName], [two, twoName]] = [pick(places(envelope), random), pick(places(envelope), random)];
    [one[oneName], two[twoName]] = [two[twoName], one[oneName]];
  },
  (envelope, other, random) => {
    const [owner, name] = pick(places(envelope), random);
    const [otherOwner, otherName] = pick(places(other), random);
    owner[name] = otherOwner[otherName];
  },
];

function pick<T>(values: readonly T[], random: Random): T {
  return values[random(values.length)]!;
}

/** One to three changes; four of five change the bytes of a field and leave its form intact. */
function mutate(original: EncryptedCredentials, other: EncryptedCredentials, random: Random): unknown {
  const envelope = structuredClone(original) as unknown as Json;
  for (let changes = 1 + random(3); changes > 0; changes--) {
    if (random(5) === 0) {
      pick(mutatePlace, random)(envelope, structuredClone(other) as unknown as Json, random);
      continue;
    }
    const boxName = pick(['key', 'data'] as const, random);
    const field = pick(['salt', 'iv', 'commitment', 'ciphertext'] as const, random);
    const box = envelope[boxName] as Json | undefined;
    if (typeof box?.[field] !== 'string' || box[field] === '') continue;
    const bytes = Buffer.from(box[field], 'base64url');
    if (bytes.length === 0) continue;
    box[field] = pick(BYTE_MUTATIONS, random)(bytes, random, Buffer.from(other[boxName][field], 'base64url')).toString(
      'base64url',
    );
  }
  return envelope;
}

it(`refuses ${MUTATIONS} mutations of an envelope, seed ${SEED}`, { timeout: 120_000 }, async () => {
  const random = seeded(SEED);
  const key = await wrappingKey(nodeBackend);
  const [original, other] = [await seal(nodeBackend, key), await seal(nodeBackend, key, { apiKey: 'another' })];
  const opened: unknown[] = [];
  let refused = 0;
  while (refused < MUTATIONS && opened.length === 0) {
    const mutated = mutate(original, other, random);
    // Some changes undo each other, or put one whole envelope in the other's place.
    if (isDeepStrictEqual(mutated, original) || isDeepStrictEqual(mutated, other)) continue;
    if (await isRefused(open(nodeBackend, key, mutated))) refused += 1;
    else opened.push(mutated);
  }
  expect(opened).toEqual([]);
  expect(await open(nodeBackend, key, original)).toEqual(CREDENTIALS);
});

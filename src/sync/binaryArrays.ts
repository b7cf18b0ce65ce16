/** OIDs of the element types, from PostgreSQL's pg_type.dat. */
const BYTEA_OID = 17;
const BOOL_OID = 16;
const TEXT_OID = 25;
const JSONB_OID = 3802;
const HEADER_BYTES = 20;
const JSONB_VERSION = 1;

/**
 * PostgreSQL arrays in their binary form (array_send in the server's arrayfuncs.c): dimensions, null flag,
 * element type, length, lower bound, then each element with its length. The driver sends a Buffer as it is, so
 * neither side escapes or parses the quotes that JSON is full of: half the cost of a batch.
 */
export const textArray = (items: readonly Buffer[]): Buffer => encode(TEXT_OID, items);
export const byteaArray = (items: readonly Buffer[]): Buffer => encode(BYTEA_OID, items);
export const jsonbArray = (items: readonly Buffer[]): Buffer => encode(JSONB_OID, items, JSONB_VERSION);
export const booleanArray = (items: readonly boolean[]): Buffer =>
  encode(
    BOOL_OID,
    items.map((item) => (item ? TRUE : FALSE)),
  );

const TRUE = Buffer.from([1]);
const FALSE = Buffer.from([0]);

function encode(elementOid: number, items: readonly Buffer[], version?: number): Buffer {
  const extraBytes = version === undefined ? 0 : 1;
  let sizeBytes = HEADER_BYTES;
  for (const item of items) sizeBytes += 4 + extraBytes + item.length;
  const array = Buffer.allocUnsafe(sizeBytes);
  array.writeInt32BE(1, 0);
  array.writeInt32BE(0, 4);
  array.writeInt32BE(elementOid, 8);
  array.writeInt32BE(items.length, 12);
  array.writeInt32BE(1, 16);
  let offset = HEADER_BYTES;
  for (const item of items) {
    offset = array.writeInt32BE(item.length + extraBytes, offset);
    if (version !== undefined) offset = array.writeUInt8(version, offset);
    offset += item.copy(array, offset);
  }
  return array;
}

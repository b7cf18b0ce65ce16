import { Readable } from 'node:stream';

/**
 * Text that is made while it is sent. What fails before the first piece is thrown here, so that it can still be
 * answered as a problem; later only cutting the connection can say that this is not all.
 */
export async function streamPieces(text: AsyncIterable<string>, onBroken: (error: unknown) => void): Promise<Readable> {
  const pieces = text[Symbol.asyncIterator]();
  return Readable.from(rest(await pieces.next(), pieces, onBroken));
}

async function* rest(
  first: IteratorResult<string>,
  pieces: AsyncIterator<string>,
  onBroken: (error: unknown) => void,
): AsyncGenerator<string> {
  try {
    for (let piece = first; piece.done !== true; piece = await pieces.next()) yield piece.value;
  } catch (error) {
    onBroken(error);
    throw error;
  } finally {
    // The reader went away: the query ends with it.
    await pieces.return?.();
  }
}

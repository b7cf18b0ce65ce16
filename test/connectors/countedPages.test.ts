import { describe, expect, it } from 'vitest';
import { connectorWith, streamOf } from './support/session.ts';

const make = (type: string, order: string, inStream: boolean) => {
  const pagination = { type, param: 'at' };
  const incremental = { cursorField: 'at', order };
  const stream = streamOf({
    incremental,
    params: { since: '{{ state.cursor }}' },
    ...(inStream ? { pagination } : {}),
  });
  return () => connectorWith({ ...(inStream ? {} : { pagination }), streams: [stream] });
};

describe.each(['page', 'offset'])('pages that are counted (%s)', (type) => {
  it.each([true, false])('cannot be read with the oldest change first (of the stream itself: %s)', (inStream) => {
    expect(make(type, 'ascending', inStream)).toThrow(
      `streams.0.incremental.order: is "ascending", but pagination "${type}" counts`,
    );
  });

  it.each(['descending', 'unordered'])('can be read %s', (order) => {
    expect(make(type, order, true)).not.toThrow();
  });
});

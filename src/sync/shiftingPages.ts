import type { Connector } from '../connectors/format.ts';

/** Where a page is a place in a list, or may be: what an address means is the provider's. */
const PLACES = new Set(['page', 'offset', 'link_header', 'next_url']);

/**
 * Whether records can slip past a full read of this stream: one that is deleted while the pages are read moves
 * those after it towards the pages that were read already. Under a parent, that is true of the parents as well.
 */
export function pagesCanShift(connector: Connector, streamName: string): boolean {
  let stream = connector.streams.find((one) => one.name === streamName);
  while (stream !== undefined) {
    if (PLACES.has((stream.pagination ?? connector.pagination).type)) return true;
    const parentName = stream.parent?.stream;
    stream = connector.streams.find((one) => one.name === parentName);
  }
  return false;
}

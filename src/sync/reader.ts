import type { Connector } from '../connectors/format.ts';
import type { ConnectorSession, ReadOptions, ReadPlan, StreamPage } from '../connectors/types.ts';
import type { JsonValue } from '../core/json.ts';

/** What a sync needs of connectors/. */
export interface StreamReader {
  planRead(
    connector: Connector,
    stream: string,
    state: JsonValue | null,
    options: { readonly startDate?: string; readonly nowMs?: number },
  ): ReadPlan;
  readStream(session: ConnectorSession, options: ReadOptions): AsyncIterable<StreamPage>;
}

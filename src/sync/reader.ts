import type { ConnectorSession, ReadOptions, ReadPlan, ReadSource, StreamPage } from '../connectors/types.ts';
import type { JsonValue } from '../core/json.ts';

/** What a sync needs of connectors/. */
export interface StreamReader {
  planRead(source: ReadSource, stream: string, state: JsonValue | null): ReadPlan;
  readStream(session: ConnectorSession, options: ReadOptions): AsyncIterable<StreamPage>;
}

-- The W3C traceparent of the request that asked for the run, so that the run's trace can link to it.
alter table sync_runs add column trace_parent text;

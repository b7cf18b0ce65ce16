-- Searching logs: by time within a day.

-- Tiny and nearly free for writers, because records lie in the order in which they were observed: what lies outside a
-- time range is not even looked at.
create index logs_by_time on logs using brin (observed_at) with (pages_per_range = 32, autosummarize = on);

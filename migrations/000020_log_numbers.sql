-- Records are numbered by the database while they are copied, so that journals are loaded as they are.

-- Set to log_sequence.next by each batch, under the lock that it holds on that row until it commits: numbers stay
-- gapless and in the order of commits, which a sequence alone would not keep.
create sequence log_record_numbers;
alter table logs alter column seq set default nextval('log_record_numbers');

-- Limits: how many jobs of a key have a place, and how many wait.
--
-- A ready job that waits for a place has the state -1: it stands in the line of `held`, the key that has none.

create table errand.limit_key (
  key     text collate "C" primary key,
  places  integer not null default 0,
  pending integer not null default 0
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

alter table errand.job add column held text collate "C", add column limits jsonb;
alter table errand.ended add column held text collate "C", add column limits jsonb;
create index job_held on errand.job (held, (priority::bigint << 56 | run_at), turn) where state = -1;

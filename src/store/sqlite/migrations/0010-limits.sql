-- Limits: how many jobs of a key have a place, and how many wait.
--
-- A ready job that waits for a place has the state -1: it stands in the line of `held`, the key that has none.

create table limit_key (
  key     text primary key,
  places  integer not null default 0,
  pending integer not null default 0
) without rowid;

alter table job add column held text;
create index job_held on job (held, priority, run_at, turn) where state = -1;

alter table body add column limits text;

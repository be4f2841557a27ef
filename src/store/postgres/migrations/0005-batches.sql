-- Batches: how many items each has, and what has become of them; and which item of which a job is.

create table errand.batch (
  turn        bigint generated always as identity,
  created_at  bigint not null,
  filled_at   bigint not null,
  closed_at   bigint,
  ended_at    bigint,
  purge_at    bigint,
  keep_ms     bigint not null,
  failed_max  integer,
  items       integer not null default 0,
  completed   integer not null default 0,
  with_errors integer not null default 0,
  failed      integer not null default 0,
  cancelled   integer not null default 0,
  erased      integer not null default 0,
  endings     integer not null default 0,
  id          uuid primary key,
  job         text collate "C" not null,
  tenant      text collate "C" not null,
  stopped     text collate "C",
  fingerprint text collate "C",
  end_job     jsonb
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

create unique index batch_turn on errand.batch (turn);
create index batch_open on errand.batch (filled_at) where closed_at is null;
create index batch_stopped on errand.batch (turn) where stopped is not null and ended_at is null;
create index batch_purge on errand.batch (purge_at) where purge_at is not null;

alter table errand.job add column batch uuid, add column item integer;
alter table errand.ended add column batch uuid, add column item integer;

-- What became of items of one batch, gathered: a state, or -1 erased, -2 come; and how many of them with errors.
create type errand.told as (batch uuid, state smallint, count integer, warned integer);

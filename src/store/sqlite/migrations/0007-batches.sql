-- Batches: how many items each has, and what has become of them; and which item of which a job is.

create table batch (
  turn        integer primary key,
  id          text not null unique,
  job         text not null,
  tenant      text not null,
  created_at  integer not null,
  filled_at   integer not null,
  closed_at   integer,
  ended_at    integer,
  purge_at    integer,
  keep_ms     integer not null,
  stopped     text,
  failed_max  integer,
  fingerprint text,
  end_job     text,
  items       integer not null default 0,
  completed   integer not null default 0,
  with_errors integer not null default 0,
  failed      integer not null default 0,
  cancelled   integer not null default 0,
  erased      integer not null default 0,
  endings     integer not null default 0
);

create index batch_open on batch (filled_at) where closed_at is null;
create index batch_stopped on batch (turn) where stopped is not null and ended_at is null;
create index batch_purge on batch (purge_at) where purge_at is not null;

alter table body add column batch text;
alter table body add column item integer;

-- The tables of the first release.
--
-- `job` is what claiming and settling touch: short rows, rewritten often. `body` is what they carry:
-- long rows, written once. States are numbers in the order of src/job/state.ts:
-- 0 scheduled, 1 ready, 2 running, 3 waiting, 4 completed, 5 failed, 6 cancelled.

create table job (
  turn         integer primary key,
  id           text not null unique,
  queue        text not null,
  priority     integer not null,
  state        integer not null,
  run_at       integer not null,
  rev          integer not null default 1,
  fence        integer not null default 0,
  worker       text,
  receipt      integer,
  failures     integer not null default 0,
  crashes      integer not null default 0,
  losses       integer not null default 0,
  cancel_asked integer not null default 0,
  started_at   integer,
  ended_at     integer
);

create index job_ready on job (queue, priority, run_at) where state = 1;
create index job_due on job (run_at) where state = 0;
create index job_waiting on job (state) where state = 3;
create index job_failed on job (ended_at) where state = 5;
create index job_cancelled on job (ended_at) where state = 6;

create table body (
  turn         integer primary key,
  job          text not null,
  tenant       text not null,
  created_at   integer not null,
  expires_at   integer,
  deadline_at  integer,
  unique_value text,
  unique_until text,
  unique_held  integer,
  fingerprint  text,
  tags         text,
  waiting_for  text,
  reason       text,
  with_errors  integer,
  input        blob not null,
  policy       integer not null,
  result       blob,
  error        blob,
  progress     blob
);

-- Jobs of one definition share their policy to the byte: it is stored once.
create table policy (id integer primary key, bytes blob not null unique);

create unique index body_unique on body (tenant, job, unique_value) where unique_held = 1;

-- One row an exchange that ended jobs, not one a job: what retention walks.
create table ended (
  purge_at integer not null,
  ended_at integer not null,
  turns    text not null
);

create index ended_purge on ended (purge_at);

create table tag (tag text not null, turn integer not null, primary key (tag, turn)) without rowid;

create table receipt (
  worker text not null,
  n      integer not null,
  open   integer not null,
  handed text not null,
  primary key (worker, n)
) without rowid;

create table worker (
  id            text primary key,
  lease_ms      integer not null,
  lease_until   integer not null,
  unbroken_from integer not null,
  registered_at integer not null,
  gone_at       integer,
  newest        integer not null default 0,
  second        integer not null default 0,
  info          blob not null,
  metrics       blob
) without rowid;

create table buried (metrics blob not null);

create table tally (
  queue     text primary key,
  accepted  integer not null default 0,
  erased    integer not null default 0,
  scheduled integer not null default 0,
  ready     integer not null default 0,
  running   integer not null default 0,
  waiting   integer not null default 0,
  completed integer not null default 0,
  failed    integer not null default 0,
  cancelled integer not null default 0
) without rowid;

create table attempt (
  turn       integer not null,
  fence      integer not null,
  worker     text not null,
  started_at integer not null,
  ended_at   integer not null,
  outcome    text not null,
  error      blob,
  primary key (turn, fence)
) without rowid;

create table log (
  turn  integer not null,
  n     integer not null,
  at    integer not null,
  fence integer not null,
  level text not null,
  text  text not null,
  primary key (turn, n)
) without rowid;

create table artifact (
  turn       integer not null,
  file       text not null,
  fence      integer not null,
  type       text not null,
  bytes      integer not null,
  sha256     text not null,
  expires_at integer not null,
  primary key (turn, file)
) without rowid;

create index artifact_expiry on artifact (expires_at);

-- Empty but for moments: its bytes stretch the write-ahead log to its full size (checkpointer.ts).
create table slack (bytes blob not null);

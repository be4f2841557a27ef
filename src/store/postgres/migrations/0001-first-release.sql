-- The tables of the first release.
--
-- `job` is what lives: claimed and settled all day, kept small so that vacuum keeps up. `ended` is what
-- is over and kept for a while. A job is in one of them. States are numbers in the order of
-- src/job/state.ts: 0 scheduled, 1 ready, 2 running, 3 waiting, 4 completed, 5 failed, 6 cancelled.

create sequence errand.turn;

-- Wide columns stand first: a row is padded between columns of different width. What a job does not have
-- while it waits for its first run takes no room: a moment of creation that is not `run_at`, a fence, counters.
create table errand.job (
  turn         bigint not null,
  run_at       bigint not null,
  created_at   bigint,
  fence        bigint,
  started_at   bigint,
  expires_at   bigint,
  deadline_at  bigint,
  receipt      bigint,
  kind         bigint not null,
  rev          integer not null default 1,
  state        smallint not null,
  priority     smallint not null,
  failures     smallint,
  crashes      smallint,
  losses       smallint,
  cancel_asked boolean not null default false,
  id           uuid not null,
  worker       uuid,
  subject      uuid,
  queue        text collate "C" not null,
  tenant       text collate "C" not null,
  unique_value text collate "C",
  unique_until text collate "C",
  fingerprint  text collate "C",
  waiting_for  text collate "C",
  tags         text[],
  input        bytea not null,
  error        bytea,
  progress     bytea
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.1);

-- These grow at their end: there is no use in leaving room within their pages.
alter table errand.job add constraint job_id_key unique (id) with (fillfactor = 100);
create index job_turn on errand.job (turn) with (fillfactor = 100);
-- Priority and moment in one number: eight bytes less an entry.
create index job_ready on errand.job (queue, (priority::bigint << 56 | run_at), turn) with (fillfactor = 100)
where state = 1;
create index job_due on errand.job (run_at, turn) where state = 0;
create index job_waiting on errand.job (turn) where state = 3;
create index job_asked on errand.job (worker) where cancel_asked and state = 2;
create index job_subject on errand.job (subject) where subject is not null;

create table errand.ended (
  turn         bigint not null,
  run_at       bigint not null,
  created_at   bigint not null,
  fence        bigint not null,
  started_at   bigint,
  expires_at   bigint,
  deadline_at  bigint,
  ended_at     bigint not null,
  purge_at     bigint not null,
  kind         bigint not null,
  rev          integer not null,
  state        smallint not null,
  priority     smallint not null,
  failures     smallint not null,
  crashes      smallint not null,
  losses       smallint not null,
  cancel_asked boolean not null,
  with_errors  boolean not null,
  id           uuid not null,
  worker       uuid,
  subject      uuid,
  queue        text collate "C" not null,
  tenant       text collate "C" not null,
  unique_value text collate "C",
  unique_until text collate "C",
  fingerprint  text collate "C",
  reason       text collate "C",
  tags         text[],
  input        bytea not null,
  result       bytea,
  error        bytea,
  progress     bytea
);

create unique index ended_id on errand.ended (id);
create index ended_turn on errand.ended (turn);
-- Hooks that failed or were cancelled may be retried: whoever purges asks whether one looks back on a job.
create index ended_subject on errand.ended (subject) where subject is not null and state > 4;
create index ended_failed on errand.ended (ended_at, turn) where state = 5;
create index ended_cancelled on errand.ended (ended_at, turn) where state = 6;

-- What errand carries is compressed above it, or sealed and cannot be.
alter table errand.job alter input set storage external, alter error set storage external,
  alter progress set storage external;
alter table errand.ended alter input set storage external, alter result set storage external,
  alter error set storage external, alter progress set storage external;

-- What all jobs of one definition share: said once, under a hash of it. A database that went back in time
-- may have lost a kind, but never gives its number to another.
create table errand.kind (
  id     bigint primary key,
  name   text collate "C" not null,
  queue  text collate "C" not null,
  policy bytea not null
);

-- Who holds a unique value, whether its job lives or has ended.
create table errand.hold (
  tenant text collate "C" not null,
  name   text collate "C" not null,
  value  text collate "C" not null,
  id     uuid not null,
  primary key (tenant, name, value)
);

-- Under which id a request came that joined a job: a repeat finds the same job, ended or not.
create table errand.alias (
  id          uuid primary key,
  job         uuid not null,
  fingerprint text collate "C" not null,
  purge_at    bigint not null
);

create index alias_purge on errand.alias (purge_at);

-- One row an exchange that ended jobs, not one a job: what retention walks. It says when to look; the row of
-- the job says whether its time is over, as it may have ended again since.
create table errand.retention (
  purge_at bigint not null,
  ended_at bigint not null,
  ids      uuid[] not null
);

create index retention_purge on errand.retention (purge_at);

create table errand.tag (
  tag  text collate "C" not null,
  turn bigint not null,
  id   uuid not null,
  primary key (tag, turn)
);

create table errand.receipt (
  worker uuid not null,
  n      bigint not null,
  open   integer not null,
  ids    uuid[] not null,
  fences bigint[] not null,
  primary key (worker, n)
) with (fillfactor = 50);

-- The lease, renewed over a connection of its own: never behind the lock of an exchange.
create table errand.worker (
  id            uuid primary key,
  lease_ms      bigint not null,
  lease_until   bigint not null,
  unbroken_from bigint not null,
  registered_at bigint not null,
  gone_at       bigint,
  info          bytea not null,
  metrics       bytea
) with (fillfactor = 50);

-- The last two numbers of a worker. Its row is the lock that puts its exchanges in order.
create table errand.number (
  worker uuid primary key,
  newest bigint not null default 0,
  second bigint not null default 0
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

create table errand.buried (metrics bytea not null);

-- Several rows a queue, so that processes do not wait for each other: they are summed when read.
create table errand.tally (
  queue     text collate "C" not null,
  slot      integer not null,
  accepted  bigint not null default 0,
  erased    bigint not null default 0,
  scheduled bigint not null default 0,
  ready     bigint not null default 0,
  running   bigint not null default 0,
  waiting   bigint not null default 0,
  completed bigint not null default 0,
  failed    bigint not null default 0,
  cancelled bigint not null default 0,
  primary key (queue, slot)
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

create table errand.attempt (
  id         uuid not null,
  fence      bigint not null,
  worker     uuid not null,
  started_at bigint not null,
  ended_at   bigint not null,
  outcome    text not null,
  error      bytea,
  primary key (id, fence)
);

create table errand.log (
  id    uuid not null,
  n     integer not null,
  at    bigint not null,
  fence bigint not null,
  level text not null,
  text  text not null,
  primary key (id, n)
);

create table errand.artifact (
  id         uuid not null,
  file       text collate "C" not null,
  fence      bigint not null,
  type       text not null,
  bytes      bigint not null,
  sha256     text not null,
  expires_at bigint not null,
  primary key (id, file)
);

create index artifact_expiry on errand.artifact (expires_at);

-- A change of one counter: many jobs of one queue that came to a state, or left it.
create type errand.move as (queue text, state smallint, count integer);

-- A job about to be stored, for those that look up others.
create type errand.new_job as (
  id uuid, kind bigint, name text, queue text, tenant text, priority smallint, run_at bigint,
  delay_ms bigint, expires_in_ms bigint, deadline_ms bigint, fingerprint text, unique_value text,
  unique_until text, on_conflict text, tags text[], subject uuid, input bytea
);

-- Mailboxes, and what jobs wait for that have set themselves aside; `n` is the order of arrival.

create table errand.mail (
  id     uuid not null,
  name   text collate "C" not null,
  key    text collate "C" not null,
  n      integer not null,
  at     bigint not null,
  urgent boolean not null,
  value  bytea not null,
  primary key (id, name, key)
);

alter table errand.mail alter value set storage external;

-- Names of letters: one of those that are not for all is enough.
create table errand.awaited (
  id      uuid not null,
  name    text collate "C" not null,
  for_all boolean not null,
  primary key (id, name)
);

alter table errand.job add column wakes_at bigint;
create index job_wakes on errand.job (wakes_at) where wakes_at is not null;

-- Mailboxes, and what jobs wait for that have set themselves aside. Rowids keep the order of arrival.

create table mail (
  turn   integer not null,
  name   text not null,
  key    text not null,
  at     integer not null,
  urgent integer,
  value  blob not null,
  primary key (turn, name, key)
);

-- Names of letters: one of those that are not for all is enough.
create table awaited (
  turn    integer not null,
  name    text not null,
  for_all integer not null,
  primary key (turn, name)
) without rowid;

alter table job add column wakes_at integer;
create index job_wakes on job (wakes_at) where wakes_at is not null;

-- What is kept under names beside jobs, such as schedules; `at` is when one wants attention.

create table errand.entry (
  kind  text collate "C" not null,
  name  text collate "C" not null,
  stamp uuid not null,
  at    bigint,
  value bytea not null,
  primary key (kind, name)
);

create index entry_due on errand.entry (kind, at, name) where at is not null;

-- What is kept under names beside jobs, such as schedules; `at` is when one wants attention.

create table entry (
  kind  text not null,
  name  text not null,
  stamp text not null,
  at    integer,
  value blob not null,
  primary key (kind, name)
);

create index entry_due on entry (kind, at, name) where at is not null;

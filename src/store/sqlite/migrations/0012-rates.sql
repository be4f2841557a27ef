-- Limits by their rate, and the calls that passed under them lately: how many had, after each, and when.

create table rate (
  name         text primary key,
  count        integer,
  window_ms    integer,
  kept         integer not null default 0,
  total        integer not null default 0,
  closed_until integer,
  used_at      integer not null
) without rowid;

create table taken (
  name text not null,
  upto integer not null,
  at   integer not null,
  primary key (name, upto)
) without rowid;

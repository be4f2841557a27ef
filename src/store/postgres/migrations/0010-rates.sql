-- Limits by their rate, and the calls that passed under them lately: how many had, after each, and when.

create table errand.rate (
  name         text collate "C" primary key,
  count        integer,
  window_ms    bigint,
  kept         integer not null default 0,
  total        bigint not null default 0,
  closed_until bigint,
  used_at      bigint not null
);

create table errand.taken (
  name text collate "C" not null,
  upto bigint not null,
  at   bigint not null,
  primary key (name, upto)
);

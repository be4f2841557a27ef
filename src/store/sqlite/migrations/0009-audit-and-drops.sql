-- Who did what. Numbers are never given again: they are where readers go on.

create table audit (
  n     integer primary key autoincrement,
  at    integer not null,
  entry blob not null
);

-- When the input or the result of a completed job goes that is to go before its record: `what` is 'input' or 'result'.
create table drops (
  turn    integer not null,
  what    text not null,
  drop_at integer not null,
  primary key (turn, what)
) without rowid;

create index drops_due on drops (drop_at);

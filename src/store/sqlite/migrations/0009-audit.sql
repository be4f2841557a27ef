-- Who did what. Numbers are never given again: they are where readers go on.

create table audit (
  n     integer primary key autoincrement,
  at    integer not null,
  entry blob not null
);

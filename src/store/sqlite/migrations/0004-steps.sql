-- Steps: named parts of a job that were done, whichever run did them. Rowids keep the order of recording.

create table step (
  turn  integer not null,
  name  text not null,
  at    integer not null,
  value blob not null,
  primary key (turn, name)
);

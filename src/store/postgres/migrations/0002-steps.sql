-- Named parts of jobs that were done, whichever run did them; `n` is their order.

create table errand.step (
  id    uuid not null,
  name  text collate "C" not null,
  n     integer not null,
  at    bigint not null,
  value bytea not null,
  primary key (id, name)
);

alter table errand.step alter value set storage external;

-- Who did what.

create table errand.audit (
  n     bigint generated always as identity primary key,
  at    bigint not null,
  entry bytea not null
);

-- Who did what.

create table errand.audit (
  n     bigint generated always as identity primary key,
  at    bigint not null,
  entry bytea not null
);

-- When the input or the result of a completed job goes that is to go before its record: `what` is 'input' or 'result'.
create table errand.drops (
  id      uuid not null,
  what    text not null,
  drop_at bigint not null,
  primary key (id, what)
);

create index drops_due on errand.drops (drop_at);

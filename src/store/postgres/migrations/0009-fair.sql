-- Fair turns: the virtual moment of each tenant's latest job in a line. Forgotten when the line is empty.

create table errand.fair (
  queue    text collate "C" not null,
  priority smallint not null,
  tenant   text collate "C" not null,
  last     bigint not null,
  primary key (queue, priority, tenant)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

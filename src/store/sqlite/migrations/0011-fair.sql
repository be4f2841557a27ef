-- Fair turns: the virtual moment of each tenant's latest job in a line. Forgotten when the line is empty.

create table fair (
  queue    text not null,
  priority integer not null,
  tenant   text not null,
  last     integer not null,
  primary key (queue, priority, tenant)
) without rowid;

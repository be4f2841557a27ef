-- The job that called this one, and as what.

alter table body add column parent text;
alter table body add column called text;
create index body_parent on body (parent) where parent is not null;

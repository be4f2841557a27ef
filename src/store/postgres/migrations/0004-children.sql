-- The job that called this one, and as what.

alter table errand.job add column parent uuid, add column called text collate "C";
alter table errand.ended add column parent uuid, add column called text collate "C";
create index job_parent on errand.job (parent) where parent is not null;

-- Until when an ended job is kept.
--
-- A list in `retention` says when to look, the row whether its time is over: a job that was retried and
-- ended again within one moment stands in two lists with the same `ended_at`. 0: it ended under an older
-- release.

alter table errand.ended add column purge_at bigint not null default 0;

-- Until when an ended job is kept.
--
-- A list in `ended` says when to look, the row whether its time is over: a job that was retried and ended
-- again within one moment stands in two lists with the same `ended_at`. Null: it ended under an older release.

alter table job add column purge_at integer;

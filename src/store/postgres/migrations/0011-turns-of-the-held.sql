-- The first of those that wait for a place: beside it stands whoever comes, as beside the first that is ready.

create index job_held_line on errand.job (queue, (priority::bigint << 56 | run_at)) where state = -1;

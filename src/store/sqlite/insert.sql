-- insert: stores jobs, or finds the ones they repeat (C8).
--
-- In      one job at a time; `?` in the order of the columns
-- Out     the turn it was given; for a repeat, the job that was there first
-- Cost    three index steps a job, one more for an id or a unique value that was given
-- Beware  `on conflict do nothing` also swallows a taken id: no change means look who holds it

-- name: job
insert into job (id, queue, priority, state, run_at) values (?, ?, ?, ?, ?)
on conflict (id) do nothing;

-- name: body
insert into body (turn, job, tenant, created_at, expires_at, deadline_at, unique_value, unique_until,
  unique_held, fingerprint, tags, subject, parent, called, batch, item, limits, input, policy)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: plain
-- The same for a job without options: most have none, and each value bound costs time.
insert into body (turn, job, tenant, created_at, input, policy) values (?, ?, ?, ?, ?, ?);

-- name: item
-- The same for one of a batch.
insert into body (turn, job, tenant, created_at, batch, item, input, policy) values (?, ?, ?, ?, ?, ?, ?, ?);

-- name: policy
insert into policy (bytes) values (?) on conflict (bytes) do update set bytes = bytes returning id;

-- name: policyBytes
select bytes from policy where id = ?;

-- name: tag
insert or ignore into tag (tag, turn) values (?, ?);

-- name: same
select body.fingerprint from job join body using (turn) where job.id = ?;

-- name: holder
select job.id from body join job using (turn)
where body.tenant = ? and body.job = ? and body.unique_value = ? and body.unique_held = 1;

-- name: alias
-- One that names itself is of a job that was erased.
select alias.job, alias.fingerprint from alias left join job on job.id = alias.job
where alias.id = ? and (job.id is not null or alias.job = alias.id);

-- name: remember
insert or replace into alias (id, job, fingerprint, purge_at) values (?, ?, ?, ?);

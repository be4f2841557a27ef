-- sweep: takes over the jobs of workers whose lease ran out, and decides nothing (C6).
--
-- In      the sweeping worker, its number, the store's clock
-- Out     the jobs, under new fences, in a receipt of the sweeper's
-- Cost    index steps for the jobs taken; one look at the workers when there are none
-- Beware  a gone worker is looked at for as long as it has receipts: nobody may have swept for days

-- name: entitled
select 1 from worker
where id = :worker and gone_at is null and lease_until > :now and :now - unbroken_from >= lease_ms;

-- name: clamp
-- The clock went back: no lease may last longer than a lease.
update worker set lease_until = :now + lease_ms where gone_at is null and lease_until > :now + lease_ms;

-- name: bereave
update worker set gone_at = :now
where gone_at is null and lease_until <= :now and id <> :worker;

-- name: orphans
select receipt.worker, receipt.n, receipt.handed from worker join receipt on receipt.worker = worker.id
where worker.gone_at is not null limit 1000;

-- name: orphan
select job.turn, job.id, job.fence, job.queue, job.failures, job.crashes, job.losses, job.run_at,
  body.job, body.tenant, body.created_at, body.expires_at, body.deadline_at, body.input, body.policy,
  body.unique_value is not null, job.cancel_asked, body.subject, 1,
  body.parent || ' ' || body.called, body.batch, body.item, body.limits
from job join body using (turn)
where job.turn = ? and job.fence = ? and job.worker = ? and job.receipt = ? and job.state = 2;

-- name: take
update job set fence = ?, worker = ?, receipt = ?, rev = rev + 1 where turn = ?;

-- name: close
update receipt set open = open - ? where worker = ? and n = ?;

-- name: discard
delete from receipt where worker = ? and n = ?;

-- name: retire
update worker set gone_at = coalesce(gone_at, :now), lease_until = min(lease_until, :now) where id = :worker;

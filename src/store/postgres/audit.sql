-- audit, audits: the log of who did what (C19).
--
-- In      an entry under its number; how many to show, before which one
-- Out     entries, the newest first
-- Cost    one index step an entry
-- Beware  entries are never changed: purge takes them away at the old end; of two that add at once one waits, and then adds nothing

-- name: add
insert into errand.audit (n, at, entry) overriding system value
select $2::bigint, errand.clock($1::text::bigint), $3::bytea
where $2::bigint = 1 + coalesce((select max(n) from errand.audit), 0)
on conflict do nothing returning n;

-- name: audits
select n, at, entry from errand.audit where $1::text::bigint is null or n < $1::text::bigint order by n desc limit $2;

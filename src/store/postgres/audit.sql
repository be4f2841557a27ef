-- audit, audits: the log of who did what (C19).
--
-- In      entries in order; how many to show, before which one
-- Out     entries, the newest first
-- Cost    one index step an entry
-- Beware  entries are never changed: purge takes them away at the old end

-- name: add
insert into errand.audit (at, entry)
select errand.clock($1::text::bigint), given.entry from unnest($2::bytea[]) with ordinality as given (entry, place)
order by given.place;

-- name: audits
select n, at, entry from errand.audit where $1::text::bigint is null or n < $1::text::bigint order by n desc limit $2;

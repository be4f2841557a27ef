-- audit, audits: the log of who did what (C19).
--
-- In      an entry under its number; how many to show, before which one; until when entries are kept
-- Out     entries, the newest first
-- Cost    one index step an entry
-- Beware  entries are never changed: they go at the old end, by age or because there are too many, but for the newest

-- name: add
insert into audit (n, at, entry) select :n, :now, :entry where :n = 1 + coalesce((select max(n) from audit), 0);

-- name: page
select n, at, entry from audit where n < ? order by n desc limit ?;

-- name: trim
delete from audit where n in (
  select n from (select n, at from audit order by n limit :limit)
  where (at <= :until or n <= (select max(n) from audit) - :max) and n < (select max(n) from audit)
);

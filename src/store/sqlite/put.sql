-- put, entries: what is kept under names beside jobs (C18).
--
-- In      a kind and a name; the stamp it is to stand at, and what it is to be
-- Out     entries as they stand
-- Cost    two index steps an entry; one look at all of its kind for one that is new
-- Beware  the stamp is made by who puts: one that is there already is a repeat

-- name: find
select kind, name, stamp, at, value from entry where kind = ? and name = ?;

-- name: count
select count(*) as count from entry where kind = ?;

-- name: put
insert into entry (kind, name, stamp, at, value) values (?, ?, ?, ?, ?)
on conflict (kind, name) do update set stamp = excluded.stamp, at = excluded.at, value = excluded.value;

-- name: remove
delete from entry where kind = ? and name = ?;

-- name: all
select kind, name, stamp, at, value from entry where kind = ? order by name;

-- name: due
select kind, name, stamp, at, value from entry where kind = ? and at <= ? order by at, name limit ?;

-- name: next
select min(at) as at from entry where kind = ? and at is not null;

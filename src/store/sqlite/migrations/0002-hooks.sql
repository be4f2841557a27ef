-- Hooks, and requests that joined.
--
-- `subject` is the ended job that a hook is of: its row stays for as long as the hook lives. `alias`
-- remembers under which id a request came that joined a job by its unique value, so that a repeat of the
-- request finds the same job although that has ended meanwhile.

alter table body add column subject text;
create index body_subject on body (subject) where subject is not null;

create table alias (
  id          text primary key,
  job         text not null,
  fingerprint text not null,
  purge_at    integer not null
) without rowid;

create index alias_purge on alias (purge_at);

-- Hooks that failed or were cancelled may be retried: whoever purges asks whether one looks back on a job.

create index ended_subject on errand.ended (subject) where subject is not null and state > 4;

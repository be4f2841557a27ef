import { REDIS, type Sabotage } from './sabotage.ts'

const AUDIT = 'test/client/audit.test.ts'
const BULK = 'test/client/bulk.test.ts'

/** What people do to many jobs, and what is kept of it. */
export const BY_PEOPLE: readonly Sabotage[] = [
  {
    breaks: 'a dry run of an act on many jobs is no dry run',
    file: 'src/client/bulk.ts',
    find: 'if (!dryRun && jobs.length > 0)',
    put: 'if (jobs.length > 0)',
    test: BULK,
    red: /a dry run counts/,
  },
  {
    breaks: 'an act on many jobs begins anew where it was to go on',
    file: 'src/client/bulk.ts',
    find: "...(cursor !== '' && { cursor })",
    put: '',
    test: BULK,
    red: /meets each job once/,
  },
  {
    breaks: 'an act on many jobs asks for no reason',
    file: 'src/client/bulk.ts',
    find: 'reason === undefined || job.reason === reason',
    put: 'job.reason === reason || job',
    test: BULK,
    red: /a reason tells/,
  },
  {
    breaks: 'an act on all jobs there are needs no more than a slip',
    file: 'src/client/bulk.ts',
    find: 'const { tenant: _, ...said } = filter',
    put: 'const said = { ...filter, act }',
    test: BULK,
    red: /by mistake/,
  },
  {
    breaks: 'who gives a failed job another life is not known',
    file: 'src/client/client.ts',
    find: "if (job?.state === 'failed' || job?.state === 'cancelled')",
    put: "if (job?.state === 'cancelled')",
    test: AUDIT,
    red: /each act is written down|dies before it acted/,
  },
  {
    breaks: 'a tenant reads what others did',
    file: 'src/watch/audit.ts',
    find: '(tenant === undefined || entry.tenant === tenant)',
    put: '(tenant === undefined || entry !== undefined)',
    test: 'test/http/audit.test.ts',
    red: /to their tenant alone/,
  },
  {
    breaks: 'Redis strikes off entries of the audit log that are young',
    file: 'src/store/redis/purge.lua',
    find: 'if n > gone and tonumber(one[2][2]) > now - tonumber(ARGV[4]) then break end',
    put: '',
    test: REDIS,
    red: /C19 /,
  },
  {
    breaks: 'a job is said to be behind others that no worker takes',
    file: 'src/job/why.ts',
    find: 'comes, waits, hasNoWorker, stands]',
    put: 'comes, waits, stands, hasNoWorker]',
    test: 'test/watch/why.test.ts',
    red: /follows the workers/,
  },
  {
    breaks: 'what stands before a job on Redis is what came before it, whatever its priority',
    file: 'src/store/redis/ahead.lua',
    find: 'for priority = 0, own.priority do',
    put: 'for priority = own.priority, own.priority do',
    test: REDIS,
    red: /C7 what is counted before/,
  },
]

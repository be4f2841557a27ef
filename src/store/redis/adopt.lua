-- adopt: stores jobs as they stood in another store, and says what those that are here already are (C7, C8, C10).
--
-- Keys    {p}:ready:<priority>:<queue> lists   {p}:attempts:<id> {p}:logs:<id> lists   {p}:files zset by expiry
--         {p}:files:<id> {p}:steps:<id> {p}:mail:<id> {p}:awaits:<id> hashes   what line.lua and arrive.lua name
-- In      ARGV[3] the kinds they are of, 8 bytes each; ARGV[4] for each job: id 16 bytes, until when it is kept I6,
--         lengths I4 of its row, runs, lines, steps, mail, names, files and drops, then those; the row as in row.lua, its turn of no account;
--         ARGV[5] for each alias: id and job 16 bytes each, until when I6, length H of its fingerprint, that;
--         ARGV[6] for each batch: id 16 bytes, until when it is kept I6, length I4 of fields and values, each after its length
-- Out     a byte a job: 0 adopted, 1 already, 2 behind, 3 ID_TAKEN, 4 UNIQUE_TAKEN; ERRAND_KIND when one is not here
-- Cost    some commands a job, more for what it left
-- Beware  a list stays sorted by moment: what became ready before its last one goes to the line

local lacking = lacks_kind(ARGV[3])
if lacking then return lacking end
open_head()

local function holds_value(row)
  return row.has.u and (row.state < COMPLETED or (row.state == COMPLETED and row.has.k))
end

-- What keeps it from being stored; nothing when it may be.
local function standing(id, row)
  local there = get(id)
  if there then
    local known = read(there)
    if known.kind ~= row.kind or known.tenant ~= row.tenant or known.created_at ~= row.created_at then
      return '\3'
    end
    return (known.rev < row.rev or known.fence < row.fence) and '\2' or '\1'
  end
  return holds_value(row) and redis.call('HGET', P .. 'unique', row.has.u) and '\4'
end

local queued, endings = {}, {}
local function append(to, key, value)
  local list = to[key]
  if not list then
    list = {}
    to[key] = list
  end
  list[#list + 1] = value
end

local function place_ready(id, row)
  if row.run_at < clock or row.run_at > now or row.has.l then
    line_up(id, row)
    return
  end
  clock = row.run_at
  append(queued, P .. 'ready:' .. row.priority .. ':' .. kind(row.kind).queue, row.turn .. id)
end

local function place_ended(id, row, kept)
  append(endings, kept .. row.ended_at, row.turn .. id)
  if row.state == COMPLETED then return end
  local set_of = row.state == FAILED and 'failed' or 'cancelled'
  redis.call('ZADD', P .. set_of, from_six(row.ended_at), row.turn .. id)
end

local function relate(id, row)
  local has, at = row.has, 1
  if holds_value(row) then
    redis.call('HSET', P .. 'unique', has.u, id)
    mark(row, HOLDS, true)
  end
  if has.l then
    if row.state < COMPLETED then count_pending(has.l, 1) end
    mark(row, TRAILS, true)
  end
  if has.s then
    redis.call('SADD', P .. 'hooks:' .. has.s, id)
    mark(row, TRAILS, true)
  end
  if has.c then
    redis.call('SADD', P .. 'children:' .. sub(has.c, 1, 16), id)
    mark(row, TRAILS, true)
  end
  while has.t and at <= #has.t do
    local tag
    tag, at = unstruct('>Hc0', has.t, at)
    redis.call('ZADD', P .. 'tag:' .. tag, from_six(row.turn), id)
    mark(row, TRAILS, true)
  end
end

-- Entries, each after its length.
local function leave_list(id, row, what, blob)
  local list, at = {}, 1
  while at <= #blob do
    list[#list + 1], at = unstruct('>I4c0', blob, at)
  end
  if #list == 0 then return end
  redis.call('RPUSH', P .. what .. id, unpack(list))
  mark(row, TRAILS, true)
end

-- Fields and values, each after its length.
local function leave_hash(id, row, what, blob)
  local at = 1
  while at <= #blob do
    local name, packed
    name, packed, at = unstruct('>Hc0I4c0', blob, at)
    redis.call('HSET', P .. what .. id, name, packed)
    mark(row, TRAILS, true)
    if row.has.l then row.has.m = '' end
  end
end

local function leave_files(id, row, blob)
  local at = 1
  while at <= #blob do
    local name, packed
    name, packed, at = unstruct('>Hc0Hc0', blob, at)
    redis.call('HSET', P .. 'files:' .. id, name, packed)
    redis.call('ZADD', P .. 'files', from_six(packed, 7), id .. name)
    mark(row, TRAILS, true)
  end
end

local function leave_drops(id, row, blob)
  for from = 1, #blob, 7 do
    redis.call('ZADD', P .. 'drops', from_six(blob, from + 1), id .. sub(blob, from, from))
    mark(row, TRAILS, true)
  end
end

local function adopt(id, row, kept)
  row.turn = take_turn(id)
  row.receipt = row.state >= COMPLETED and from_six(kept) or 0
  relate(id, row)
  if row.state == SCHEDULED then
    schedule(id, row)
  elseif row.state == READY then
    place_ready(id, row)
  elseif row.state == WAITING then
    if row.has.w == 'handler' then
      park(id, row, row.has.w)
    else
      rest(id, row, row.has.w, row.has.z and from_six(row.has.z) or 0)
    end
  else
    place_ended(id, row, kept)
  end
  local queue = kind(row.kind).queue
  tally(queue, 'accepted', 1)
  tally(queue, row.state, 1)
end

local blob, jobs, ids, at = ARGV[4], {}, {}, 1
while at <= #blob do
  local id, kept, size, runs, lines, steps, mail, awaits, files, drops, from
    = unstruct('>c16c6I4I4I4I4I4I4I4I4', blob, at)
  local cuts = { from }
  for i, length in ipairs({ size, runs, lines, steps, mail, awaits, files, drops }) do cuts[i + 1] = cuts[i] + length end
  at = cuts[9]
  ids[#ids + 1] = id
  jobs[#jobs + 1] = {
    kept = kept,
    row = read(sub(blob, cuts[1], cuts[2] - 1)),
    runs = sub(blob, cuts[2], cuts[3] - 1),
    lines = sub(blob, cuts[3], cuts[4] - 1),
    steps = sub(blob, cuts[4], cuts[5] - 1),
    mail = sub(blob, cuts[5], cuts[6] - 1),
    awaits = sub(blob, cuts[6], cuts[7] - 1),
    files = sub(blob, cuts[7], cuts[8] - 1),
    drops = sub(blob, cuts[8], at - 1),
  }
end
fetch(ids)

local answers = {}
for i, id in ipairs(ids) do
  local job = jobs[i]
  local answer = standing(id, job.row)
  if not answer then
    adopt(id, job.row, job.kept)
    leave_list(id, job.row, 'attempts:', job.runs)
    leave_list(id, job.row, 'logs:', job.lines)
    leave_hash(id, job.row, 'steps:', job.steps)
    leave_hash(id, job.row, 'mail:', job.mail)
    local letters = redis.call('HLEN', P .. 'mail:' .. id)
    if letters > 0 then redis.call('HSET', P .. 'mail:' .. id, '#', letters) end
    leave_hash(id, job.row, 'awaits:', job.awaits)
    leave_files(id, job.row, job.files)
    leave_drops(id, job.row, job.drops)
    write(id, job.row)
  end
  answers[i] = answer or '\0'
end

local aliases, from = ARGV[5], 1
while from <= #aliases do
  local id, job, moment, fingerprint
  id, job, moment, fingerprint, from = unstruct('>c16c16c6Hc0', aliases, from)
  if redis.call('HSETNX', P .. 'alias', id, job .. fingerprint) == 1 then
    redis.call('ZADD', P .. 'aliases', from_six(moment), id)
  end
end

-- One that is here stays as it is.
local function adopt_batch(batch, kept, fields)
  local key = P .. 'batch:' .. batch
  if redis.call('EXISTS', key) == 1 then return end
  local has, place = {}, 1
  while place <= #fields do
    local name, value
    name, value, place = unstruct('>Hc0I4c0', fields, place)
    has[name] = value
    redis.call('HSET', key, name, value)
  end
  local turn_of = redis.call('HINCRBY', P .. 'head', 'batch', 1)
  redis.call('HSET', key, 'turn', turn_of)
  redis.call('ZADD', P .. 'batches', turn_of, batch)
  if not has.closed then redis.call('ZADD', P .. 'batches:open', has.filled, batch) end
  if has.stopped and not has.ended then redis.call('SADD', P .. 'batches:stopped', batch) end
  if has.ended then redis.call('ZADD', P .. 'batches:purge', kept, batch) end
end

local batches, start = ARGV[6], 1
while start <= #batches do
  local batch, kept, fields
  batch, kept, fields, start = unstruct('>c16I6I4c0', batches, start)
  adopt_batch(batch, kept, fields)
end

seat()
for key, places in pairs(queued) do
  for i = 1, #places, BATCH do
    redis.call('RPUSH', key, unpack(places, i, min(i + BATCH - 1, #places)))
  end
end
for ending, places in pairs(endings) do
  redis.call('ZADD', P .. 'ended', from_six(ending), sub(ending, 7) .. table.concat(places))
end
rung.ready, rung.change = true, true
finish()
return table.concat(answers)
